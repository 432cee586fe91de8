// What happens to every request between its head and its target, in one fixed order.
#pragma once

#include <span>
#include <string_view>

#include "gateway/exchange/exchange.hpp"
#include "gateway/exchange/tools.hpp"

namespace gateway::pipeline {

enum class Verdict : std::uint8_t {
    next,
    answered,  // `answer` is what the client gets
};

struct Context {
    exchange::Exchange& exchange;
    const exchange::Tools& tools;
    exchange::Answer& answer;
};

struct Filter {
    std::string_view name;
    Verdict (*run)(Context&);
};

// The list itself, for the tests and for `explain`.
std::span<const Filter> filters();

// Runs the filters until one answers.
Verdict run(Context& context);

}  // namespace gateway::pipeline
