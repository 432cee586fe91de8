#include "services/auth/api/attempts.hpp"

#include "services/auth/api/answers.hpp"
#include "services/auth/api/login_sessions.hpp"
#include "services/auth/crypto/mac.hpp"
#include "services/auth/domain/identifiers.hpp"
#include "shared/base/encoding.hpp"

namespace auth::api {
namespace {

using boost::asio::awaitable;
using domain::FailureState;
using Wait = std::optional<std::chrono::seconds>;

// Each round that fails is one in which another attempt was counted, so a budget is used up before these are.
constexpr int kRounds = 200;

std::string name_key(std::string_view typed) {
    // Any text as a short key. User names and addresses are compared by the same form.
    return shared::base64url_encode(crypto::sha256(domain::username_key(typed)));
}

std::string account_key(const domain::Account& account) {
    return "account:" + account.id;
}

std::string session_key(const domain::Account& account) {
    return "session:" + account.id;
}

struct Counted {
    std::string key;
    FailureState state;
};

// One attempt at one password: what it is counted against, from before the hash until it is decided.
class Counting {
  public:
    Counting(Context& context, std::string network)
        : context_(context), network_(std::move(network)), turn_(context.guessing) {}

    // A network with an empty bucket waits, and is refused only where failures are known or too many wait.
    awaitable<shared::Result<Wait>> pass_network(const std::vector<std::string>& keys) {
        charged_ = context_.failures_by_address.charge(network_, context_.clock());
        const auto empty = context_.failures_by_address.blocked(network_, context_.clock());
        if (charged_ || !empty) co_return Wait();
        for (const auto& key : keys) {
            auto state = co_await context_.database.throttle().state(key);
            if (!state) co_return state.error();
            if (state->failures > 0 &&
                !domain::forgotten(*state, context_.clock(), context_.settings.throttle))
                co_return empty;
        }
        const auto deadline = std::chrono::steady_clock::now() + Guessing::kPatience;
        const auto waited = co_await context_.guessing.wait("network:" + network_, deadline);
        if (waited == Guessing::Waited::refused) co_return empty;
        co_return Wait();
    }

    // How long to wait where the key's budget is used up. What is used up only by attempts that are under
    // way here, right ones perhaps, is waited for.
    awaitable<shared::Result<Wait>> count(std::string key) {
        const auto deadline = std::chrono::steady_clock::now() + Guessing::kPatience;
        while (true) {
            auto wait = co_await count_now(key);
            if (!wait || !*wait || !context_.guessing.under_way(key)) co_return wait;
            const auto waited = co_await context_.guessing.wait(key, deadline);
            if (waited != Guessing::Waited::woken) co_return wait;
        }
    }

    // It was no guess: nobody looked at the password.
    awaitable<void> give_back() {
        give_back_charge();
        for (const auto& counted : counted_) {
            for (int round = 0; round < kRounds; ++round) {
                auto state = co_await context_.database.throttle().state(counted.key);
                if (!state || *state == FailureState()) break;
                const auto next = domain::without_attempt(*state, counted.state);
                auto replaced = co_await context_.database.throttle().replace(counted.key, *state, next);
                if (!replaced || *replaced) break;
            }
        }
    }

    awaitable<void> clear() {
        give_back_charge();
        for (const auto& counted : counted_) (void)co_await context_.database.throttle().clear(counted.key);
    }

  private:
    awaitable<shared::Result<Wait>> count_now(std::string key) {
        for (int round = 0; round < kRounds; ++round) {
            auto state = co_await context_.database.throttle().state(key);
            if (!state) co_return state.error();
            const auto now = context_.clock();
            if (auto wait = domain::remaining_block(*state, now)) co_return wait;
            const auto next = domain::with_attempt(*state, now, context_.settings.throttle);
            auto replaced = co_await context_.database.throttle().replace(key, *state, next);
            if (!replaced) co_return replaced.error();
            if (!*replaced) continue;
            turn_.take(key);
            counted_.push_back(Counted{std::move(key), next});
            co_return Wait();
        }
        co_return store::make_error_code(store::Errc::busy);
    }

    void give_back_charge() {
        if (charged_) context_.failures_by_address.give_back(network_, context_.clock());
        charged_ = false;
    }

    Context& context_;
    std::string network_;
    Guessing::Turn turn_;
    std::vector<Counted> counted_;
    bool charged_ = false;
};

awaitable<std::optional<shared::http::Response>> count_all(Counting& counting, const Budgets& budgets) {
    if (budgets.by_network) {
        auto wait = co_await counting.pass_network(budgets.keys);
        if (!wait) co_return store_failure(wait.error());
        if (*wait) co_return throttled(**wait);
    }
    for (const auto& key : budgets.keys) {
        auto wait = co_await counting.count(key);
        if (!wait) co_return store_failure(wait.error());
        if (*wait) co_return throttled(**wait);
    }
    co_return std::nullopt;
}

awaitable<shared::Result<crypto::PasswordHasher::Verdict>> check(
    Context& context, const std::optional<domain::Account>& account, std::string password,
    crypto::Asker asker) {
    if (account) return context.passwords.verify(account->password, std::move(password), std::move(asker));
    return context.passwords.verify_nothing(std::move(password), std::move(asker));
}

}  // namespace

Budgets login_budgets(const Context& context, const std::optional<domain::Account>& account,
                      std::string_view typed, std::string_view device_token) {
    Budgets budgets;
    if (account) {
        if (const auto device = context.device_tokens.device_of(device_token, account->id)) {
            budgets.keys.push_back(device_keys(*account) + *device);
            return budgets;
        }
    }
    const auto name = name_key(typed);
    budgets.keys.push_back("name:" + name);
    budgets.keys.push_back(account ? account_key(*account) : "nobody:" + name);
    budgets.by_network = true;
    return budgets;
}

Budgets session_budgets(const domain::Account& account) {
    Budgets budgets;
    budgets.keys.push_back(session_key(account));
    return budgets;
}

std::string device_keys(const domain::Account& account) {
    return "device:" + account.id + ':';
}

std::vector<std::string> throttle_keys(const domain::Account& account) {
    return {account_key(account), session_key(account), "name:" + name_key(account.username),
            "name:" + name_key(account.email)};
}

awaitable<Attempt> attempt_password(Context& context, const shared::http::Request& request,
                                    const std::optional<domain::Account>& account, Budgets budgets,
                                    std::string password) {
    Attempt attempt;
    Counting counting(context, request.client_key);
    attempt.refusal = co_await count_all(counting, budgets);
    if (attempt.refusal) {
        co_await counting.give_back();
        co_return attempt;
    }
    auto verdict = co_await check(context, account, std::move(password),
                                  asker(request, account ? account->id : budgets.keys.back()));
    if (!verdict) {
        co_await counting.give_back();
        attempt.refusal = hashing_busy();
        co_return attempt;
    }
    attempt.proved = verdict->matches && account && !account->disabled;
    attempt.outdated = verdict->outdated;
    attempt.truncated = verdict->truncated;
    if (attempt.proved) co_await counting.clear();
    co_return attempt;
}

}  // namespace auth::api
