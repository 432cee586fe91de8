// Who may use a route.
#include "gateway/config/fields.hpp"

namespace gateway::config {
namespace {

void auth_object(Visitor& v, AuthRule& auth) {
    v.text("issuer", auth.issuer, {"", "kampus", "the only one"});
    v.texts("roles", auth.roles, {"One of them. 403.", R"(["admin"])", "any"});
    v.texts("scopes", auth.scopes, {"All of them. 403.", R"(["krs:write"])", "none"});
    v.objects("claims", auth.claims,
              {"Claims that must equal something. 403. Exactly one of the `equals…` keys."});
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
    v.text("claim", rule.claim, {"", "nim", kRequired});
    v.text("equals_query", query, {"A query parameter.", "nim", kAbsent});
    v.number("equals_path_segment", segment, {0, 100},
             {"A segment of the canonical path; the first is 0.", "3", kAbsent});
    v.texts("equals", values, {"One of these values.", R"(["kampus-1"])", kAbsent});
    v.boolean("allow_absent", rule.allow_absent, {"Met where the request has no such parameter or segment."});
    v.texts("unless_roles", rule.unless_roles,
            {"Tokens with one of these roles need not meet it.", R"(["admin", "dosen"])"});
    if (!in) return;
    if (int{query.has_value()} + int{segment.has_value()} + int{values.has_value()} != 1)
        return in->problem("", "needs exactly one of equals_query, equals_path_segment and equals");
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
