#include "services/auth/api/attempts.hpp"

#include "services/auth/api/answers.hpp"
#include "services/auth/crypto/mac.hpp"
#include "shared/base/encoding.hpp"

namespace auth::api {
namespace {

using boost::asio::awaitable;

std::string key_of(const std::optional<domain::Account>& account, std::string_view name_key) {
    if (account) return throttle_key(*account);
    return "name:" + shared::base64url_encode(crypto::sha256(name_key));  // any text as a short key
}

awaitable<shared::Result<crypto::PasswordHasher::Verdict>> check(
    Context& context, const std::optional<domain::Account>& account, std::string password) {
    if (account) return context.passwords.verify(account->password, std::move(password));
    return context.passwords.verify_nothing(std::move(password));
}

// Counting never turns an answer into an error: what could not be counted is only logged by the store.
awaitable<void> count_failure(Context& context, std::string key) {
    const auto now = context.clock();
    auto failures = co_await context.database.throttle().record_failure(key, now);
    if (!failures) co_return;
    const auto delay = domain::delay_after(*failures, context.settings.throttle);
    if (delay.count() == 0) co_return;
    (void)co_await context.database.throttle().block_until(std::move(key), now + delay);
}

}  // namespace

std::string throttle_key(const domain::Account& account) {
    return "account:" + account.id;
}

awaitable<Attempt> attempt_password(Context& context, const shared::http::Request& request,
                                    const std::optional<domain::Account>& account, std::string name_key,
                                    std::string password) {
    Attempt attempt;
    const auto now = context.clock();
    if (const auto wait = context.failures_by_address.blocked(request.client_address, now)) {
        attempt.refusal = throttled(*wait);
        co_return attempt;
    }
    const std::string key = key_of(account, name_key);
    auto state = co_await context.database.throttle().state(key);
    if (!state) {
        attempt.refusal = store_failure(state.error());
        co_return attempt;
    }
    if (const auto wait = domain::remaining_block(*state, now)) {
        attempt.refusal = throttled(*wait);
        co_return attempt;
    }
    if (domain::forgotten(*state, now, context.settings.throttle)) {
        (void)co_await context.database.throttle().clear(key);
        state->failures = 0;
    }

    auto verdict = co_await check(context, account, std::move(password));
    if (!verdict) {
        attempt.refusal = hashing_busy();
        co_return attempt;
    }
    attempt.proved = verdict->matches && account && !account->disabled;
    attempt.outdated = verdict->outdated;
    if (!attempt.proved) {
        context.failures_by_address.charge(request.client_address, now);
        co_await count_failure(context, key);
    } else if (state->failures > 0) {
        (void)co_await context.database.throttle().clear(key);
    }
    co_return attempt;
}

}  // namespace auth::api
