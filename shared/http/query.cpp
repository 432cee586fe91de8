#include "shared/http/query.hpp"

#include <algorithm>
#include <set>

#include "shared/base/text.hpp"
#include "shared/http/cursor.hpp"
#include "shared/http/uri.hpp"

namespace shared::http {
namespace {

// The list's path as it was asked for: decoded, a slash inside a segment would be lost.
std::string_view list_of(const Request& request) {
    return std::string_view(request.target).substr(0, request.target.find('?'));
}

std::set<std::string_view> split(std::string_view names) {
    std::set<std::string_view> parts;
    while (!names.empty()) {
        const auto end = std::min(names.find(' '), names.size());
        parts.insert(names.substr(0, end));
        names.remove_prefix(std::min(end + 1, names.size()));
    }
    return parts;
}

}  // namespace

void Query::error(std::string_view name, std::string detail) {
    errors_.push_back({std::string(name), std::move(detail)});
}

std::optional<std::string> Query::text(std::string_view name, std::size_t max_length) {
    const auto value = request_.query_value(name);
    if (!value || value->empty()) return std::nullopt;
    if (!valid_utf8(*value) || std::any_of(value->begin(), value->end(), is_control)) {
        error(name, "memuat karakter yang tidak sah");
        return std::nullopt;
    }
    if (json::code_points(*value) > max_length) {
        error(name, "maksimal " + std::to_string(max_length) + " karakter");
        return std::nullopt;
    }
    return std::string(*value);
}

std::optional<int> Query::integer(std::string_view name, int min, int max) {
    const auto fits = [&](std::string_view text) {
        auto number = parse_number<int>(text);
        if (number && (*number < min || *number > max)) number.reset();
        return number;
    };
    return parsed(name, fits,
                  "harus bilangan bulat antara " + std::to_string(min) + " dan " + std::to_string(max));
}

std::optional<bool> Query::boolean(std::string_view name) {
    const auto read = [](std::string_view text) {
        return text == "true" ? std::optional(true) : text == "false" ? std::optional(false) : std::nullopt;
    };
    return parsed(name, read, "harus true atau false");
}

std::optional<std::string> Query::choice(std::string_view name,
                                         std::initializer_list<std::string_view> values) {
    std::string detail = "harus salah satu dari:";
    for (const auto value : values) detail += " " + std::string(value);
    const auto among = [&](std::string_view text) {
        return std::find(values.begin(), values.end(), text) != values.end()
                   ? std::optional(std::string(text))
                   : std::nullopt;
    };
    return parsed(name, among, std::move(detail));
}

std::optional<std::string> Query::after() {
    const auto read = [this](std::string_view text) { return read_cursor(list_of(request_), text); };
    return parsed("after", read, "kursor tidak sah");
}

std::optional<std::int64_t> Query::after_id() {
    const auto read = [this](std::string_view text) {
        const auto key = read_cursor(list_of(request_), text);
        return key ? parse_number<std::int64_t>(*key) : std::nullopt;
    };
    return parsed("after", read, "kursor tidak sah");
}

void next_page(Response& response, const Request& request, std::string_view last_key) {
    const auto list = list_of(request);
    std::string target = std::string(list) + "?";
    for (const auto& [name, value] : request.query)
        if (name != "after") target += percent_encode(name) + "=" + percent_encode(value) + "&";
    target += "after=" + make_cursor(list, last_key);
    response.with("Link", "<" + target + ">; rel=\"next\"");
}

std::vector<json::FieldError> unexpected_parameters(const Request& request, std::string_view names) {
    std::vector<json::FieldError> errors;
    const auto known = split(names);
    std::set<std::string_view> seen;
    for (const auto& [name, value] : request.query) {
        if (!known.contains(name))
            errors.push_back({name, "parameter tidak dikenal"});
        else if (!seen.insert(name).second)
            errors.push_back({name, "diberikan lebih dari satu kali"});
    }
    return errors;
}

}  // namespace shared::http
