// GET /internal/revocations?since=<cursor>&wait=<seconds>: the ended sessions, for gateways and services.
#include "services/auth/api/answers.hpp"
#include "services/auth/api/endpoints.hpp"
#include "services/auth/crypto/mac.hpp"
#include "shared/http/query.hpp"
#include "shared/jwt/credentials.hpp"

namespace auth::api {
namespace {

using Steady = std::chrono::steady_clock;

constexpr int kMaxWaitSeconds = 30;

Response to_response(const domain::RevocationView::Answer& answer) {
    shared::json::Writer out;
    out.object([&] {
        out.member("cursor", answer.cursor);
        out.member("reset", answer.reset);
        out.member("more", answer.more);
        out.member_array("entries", [&] {
            for (const auto& entry : answer.entries) {
                const auto until =
                    std::chrono::ceil<std::chrono::seconds>(entry.until.time_since_epoch()).count();
                out.object([&] {
                    out.member("sid", entry.sid);
                    out.member("until", std::int64_t{until});
                });
            }
        });
    });
    return private_json(200, out.str());
}

}  // namespace

Answer revocations(Context& context, Request& request) {
    const auto credentials = shared::jwt::read_credentials(request.header("Authorization"));
    if (!crypto::equal_in_constant_time(credentials.token, context.settings.feed_token))
        co_return unauthorized("token_invalid", "Token umpan tidak berlaku");
    shared::http::Query in(request);
    const auto wait = in.integer("wait", 0, kMaxWaitSeconds);
    if (!in.ok()) co_return in.refusal();
    const auto since = request.query_value("since");
    const auto deadline = Steady::now() + std::chrono::seconds(wait.value_or(0));
    auto& feed = context.feed;
    while (true) {
        // A list that may lack what other replicas have ended must not pass for a complete one.
        if (!feed.current())
            co_return shared::http::unavailable("feed_stale", "Daftar sesi yang berakhir belum dapat dibaca",
                                                1);
        const auto now = context.clock();
        const auto answer =
            since && !since->empty() ? feed.view().since(*since, now) : feed.view().snapshot(now);
        const bool first = !since || since->empty();
        if (first || answer.reset || !answer.entries.empty() || Steady::now() >= deadline || feed.stopped())
            co_return to_response(answer);
        co_await feed.wait_for_news(std::min(deadline, Steady::now() + std::chrono::seconds(1)));
    }
}

}  // namespace auth::api
