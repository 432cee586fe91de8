// What happens to every answer before the client gets it, in one fixed order; response_filters.cpp has the
// list.
#pragma once

#include <span>

#include "gateway/exchange/response_filter.hpp"

namespace gateway::pipeline {

std::span<const exchange::ResponseFilter* const> response_filters();

}  // namespace gateway::pipeline
