// A table of rows as a resource: list, read, create, replace, remove. What all of them do alike is here; a
// resource says its table, its place and its words, and adds its own rules in front where it has any.
#pragma once

#include <string_view>

#include "services/acad/api/common.hpp"
#include "services/acad/api/context.hpp"
#include "shared/http/refused.hpp"

namespace acad::api {

struct Resource {
    const store::Table& table;
    std::string_view path;            // of the list; a row is below it, by its key
    std::string_view key_name;        // in sentences: "NIM"
    std::string_view not_found_code;  // 404
    std::string_view not_found;
    std::string_view taken;   // 409 already_exists
    std::string_view in_use;  // 409 still_in_use
    bool personal = false;    // names people: not to be stored on the way
};

// The filters that the query asks for; the caller may narrow them down further.
shared::http::Refused<store::RecordFilter> read_filter(const Request& request, const store::Table& table);
// The value of one filter, to be looked at or set.
shared::pg::Value& filter_value(store::RecordFilter& filter, const store::Table& table,
                                std::string_view name);
// A page of what the filter lets through, with a Link to the next one.
Reply list_page(Context& context, Request& request, const Resource& resource, store::RecordFilter filter);

Reply list_rows(Context& context, Request& request, const Resource& resource);
Reply get_row(Context& context, Request& request, const Resource& resource);
Reply create_row(Context& context, Request& request, const Resource& resource);
Reply replace_row(Context& context, Request& request, const Resource& resource);
Reply remove_row(Context& context, Request& request, const Resource& resource);

// The same as handlers for the table of endpoints.
template <const Resource& resource>
Reply list_rows(Context& context, Request& request) {
    return list_rows(context, request, resource);
}
template <const Resource& resource>
Reply get_row(Context& context, Request& request) {
    return get_row(context, request, resource);
}
template <const Resource& resource>
Reply create_row(Context& context, Request& request) {
    return create_row(context, request, resource);
}
template <const Resource& resource>
Reply replace_row(Context& context, Request& request) {
    return replace_row(context, request, resource);
}
template <const Resource& resource>
Reply remove_row(Context& context, Request& request) {
    return remove_row(context, request, resource);
}

}  // namespace acad::api
