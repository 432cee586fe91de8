// Query parameters, type-checked, and the pages of a list.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/http/message.hpp"

namespace shared::http {

// Every problem is collected for one 422; after one, the value returned is nullopt. Which names there may be
// is said by the route (RouteRules::query) and looked at before.
class Query {
  public:
    explicit Query(const Request& request) : request_(request) {}

    // Absent or empty: nullopt. `max_length` in code points.
    std::optional<std::string> text(std::string_view name, std::size_t max_length);

    // Absent: nullopt. Empty is a value like any other that does not fit.
    std::optional<int> integer(std::string_view name, int min, int max);
    std::optional<bool> boolean(std::string_view name);
    std::optional<std::string> choice(std::string_view name, std::initializer_list<std::string_view> values);
    // What `parse` makes of the value; where it gives nullopt, `detail` says what should stand there.
    template <class Parse>
    auto parsed(std::string_view name, Parse parse, std::string detail)
        -> decltype(parse(std::string_view{})) {
        const auto given = request_.query_value(name);
        if (!given) return std::nullopt;
        auto value = parse(*given);
        if (!value) error(name, std::move(detail));
        return value;
    }

    // Rows of a page.
    int limit() { return integer("limit", 1, 200).value_or(50); }
    // The key of the row that the page begins behind: what next_page() was given.
    std::optional<std::string> after();
    std::optional<std::int64_t> after_id();

    void error(std::string_view name, std::string detail);
    bool ok() const { return errors_.empty(); }
    // 422 with all of it.
    Response refusal() const { return parameters_invalid(errors_); }

  private:
    const Request& request_;
    std::vector<json::FieldError> errors_;
};

// Cuts what was read beyond the page (a list asks for one row more) and says whether there was any.
template <class Rows>
bool cut_to_page(Rows& rows, int limit) {
    const auto size = static_cast<std::size_t>(limit);
    if (rows.size() <= size) return false;
    rows.erase(rows.begin() + limit, rows.end());
    return true;
}

// Adds Link: <…>; rel="next" with the same parameters and a cursor behind `last_key`.
void next_page(Response& response, const Request& request, std::string_view last_key);

// Parameters that are not among `names` (a blank between two), and those that are given twice.
std::vector<json::FieldError> unexpected_parameters(const Request& request, std::string_view names);

}  // namespace shared::http
