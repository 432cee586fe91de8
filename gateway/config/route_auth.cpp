// Who may use a route.
#include <algorithm>

#include "gateway/config/fields.hpp"

namespace gateway::config {
namespace {

// A token without a role has the role "": a list that holds it would let such tokens in.
void check_no_empty_name(Section& in, std::string_view key, const std::vector<std::string>& names) {
    if (std::find(names.begin(), names.end(), "") != names.end()) in.problem(key, "holds an empty name");
}

// A list that narrows who may come: an empty one (of a variable that holds nothing) would let everybody in.
void narrowing_field(Visitor& v, std::string_view key, std::vector<std::string>& names, const Doc& doc) {
    Section* in = v.reading();
    const auto before = in ? in->problem_count() : 0;
    std::optional<std::vector<std::string>> given;
    if (!names.empty()) given = names;
    v.texts(key, given, doc);
    if (!in || !given) return;
    names = std::move(*given);
    if (names.empty() && in->problem_count() == before)
        in->problem(key, "must not be empty: nobody would be kept out by it");
    check_no_empty_name(*in, key, names);
}

void auth_object(Visitor& v, AuthRule& auth) {
    Section* in = v.reading();
    const auto before = in ? in->problem_count() : 0;
    v.text("issuer", auth.issuer, {"", "kampus", "the only one"});
    narrowing_field(v, "roles", auth.roles, {"One of them; not empty. 403.", R"(["admin"])", "any"});
    narrowing_field(v, "scopes", auth.scopes, {"All of them; not empty. 403.", R"(["krs:write"])", "none"});
    v.objects("claims", auth.claims,
              {"Claims that must equal something; not empty. 403. Exactly one of the `equals…` keys.", "",
               kAbsent});
    if (!in || in->problem_count() != before) return;
    if (in->has("claims") && auth.claims.empty())
        return in->problem("claims", "must not be empty: nobody would be kept out by it");
    if (auth.issuer.empty() && auth.roles.empty() && auth.scopes.empty() && auth.claims.empty())
        in->problem("", R"(says nothing; it is "token" where any valid token will do)");
}

void find_issuer(Section& in, AuthRule& auth) {
    const auto& issuers = in.config().issuers;
    if (issuers.empty()) return in.problem("auth", "needs an issuer, and none is configured");
    if (auth.issuer.empty()) {
        if (issuers.size() > 1) return in.problem("auth", "must name its issuer: there are several");
        auth.issuer = issuers.front().name;
    }
    if (const auto index = index_of(issuers, auth.issuer))
        auth.issuer_index = *index;
    else
        in.problem("auth", unknown_name("issuer", auth.issuer, issuers));
}

}  // namespace

void fields(Visitor& v, ClaimRule& rule) {
    using Against = ClaimRule::Against;
    std::optional<std::string> query;
    std::optional<std::size_t> segment;
    std::optional<std::vector<std::string>> values;
    if (rule.against == Against::query) query = rule.query;
    if (rule.against == Against::path_segment) segment = rule.path_segment;
    if (rule.against == Against::value) values = rule.values;
    Section* in = v.reading();
    if (in) values.reset();
    const auto before = in ? in->problem_count() : 0;
    v.text("claim", rule.claim, {"", "nim", kRequired});
    v.text("equals_query", query, {"A query parameter.", "nim", kAbsent});
    v.number("equals_path_segment", segment, {0, 100},
             {"A segment of the canonical path; the first is 0.", "3", kAbsent});
    v.texts("equals", values, {"One of these values; not empty.", R"(["kampus-1"])", kAbsent});
    v.boolean("allow_absent", rule.allow_absent, {"Met where the request has no such parameter or segment."});
    v.texts("unless_roles", rule.unless_roles,
            {"Tokens with one of these roles need not meet it.", R"(["admin", "dosen"])"});
    if (!in) return;
    check_no_empty_name(*in, "unless_roles", rule.unless_roles);
    if (int{query.has_value()} + int{segment.has_value()} + int{values.has_value()} != 1)
        return in->problem("", "needs exactly one of equals_query, equals_path_segment and equals");
    if (values && values->empty() && in->problem_count() == before)
        in->problem("equals", "must not be empty: no token could meet it");
    if (query && query->empty()) in->problem("equals_query", "must not be empty");
    rule.against = query ? Against::query : segment ? Against::path_segment : Against::value;
    rule.query = query.value_or("");
    rule.path_segment = segment.value_or(0);
    rule.values = std::move(values).value_or(std::vector<std::string>{});
}

void auth_field(Visitor& v, AuthRule& auth) {
    Section* in = v.reading();
    const auto before = in ? in->problem_count() : 0;
    std::optional<std::string> word;
    if (auth.is_public) word = "public";
    v.word_or_object("auth", word, {"public", "token"},
                     {R"(`"public"`, `"token"` (any valid token), or an object. There is no default: )"
                      "a route without a rule is refused.",
                      "public", kRequired},
                     [&](Visitor& inner) { auth_object(inner, auth); });
    if (!in) return;
    if (word == "public") {
        auth.is_public = true;
        return;
    }
    if (word && *word != "token") return in->problem("auth", "must be \"public\", \"token\" or an object");
    if (!in->has("auth"))
        return in->problem("auth",
                           "is missing: \"public\", \"token\" or an object with roles, scopes, claims");
    if (in->problem_count() == before) find_issuer(*in, auth);
}

}  // namespace gateway::config
