// What the endpoints work with; built by the composition root (app.cpp) and outliving every request.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

#include "services/auth/api/audit_trail.hpp"
#include "services/auth/api/guessing.hpp"
#include "services/auth/api/revocation_feed.hpp"
#include "services/auth/crypto/device_token.hpp"
#include "services/auth/crypto/issuer_keys.hpp"
#include "services/auth/crypto/password_service.hpp"
#include "services/auth/crypto/refresh_token.hpp"
#include "services/auth/domain/address_limiter.hpp"
#include "services/auth/settings.hpp"
#include "services/auth/store/database.hpp"
#include "shared/http/server.hpp"
#include "shared/metrics/metrics.hpp"
#include "shared/service/service.hpp"

namespace auth::api {

struct Context {
    const Settings& settings;
    const shared::service::Service& service;
    store::Database& database;
    crypto::PasswordService& passwords;
    std::shared_ptr<const crypto::IssuerKeys> keys;  // replaced as a whole when key files change
    const crypto::RefreshTokens& refresh_tokens;
    const crypto::DeviceTokens& device_tokens;
    shared::http::TokenCheck check_token;
    RevocationFeed& feed;
    AuditTrail& audit;
    domain::AddressLimiter& failures_by_address;
    domain::AddressLimiter& registrations_by_address;
    domain::AddressLimiter& password_changes_by_account;
    Guessing& guessing;
    shared::metrics::Registry& metrics;
    shared::WallClock clock;

    // Adds one to auth_<name>_total{outcome="…"}.
    void count(const std::string& name, const std::string& outcome) {
        metrics.counter("auth_" + name + "_total", "What became of each attempt.", {{"outcome", outcome}})
            .Increment();
    }
};

}  // namespace auth::api
