// GET /.well-known/jwks.json (RFC 7517): the public halves of the signing keys.
#include "services/auth/api/endpoints.hpp"

namespace auth::api {

Answer jwks(Context& context, Request&) {
    auto response = shared::http::json_response(200, context.keys->jwks);
    response.content_type = "application/jwk-set+json";
    // Short: a key that signs has been published for ten minutes.
    response.with("Cache-Control", "public, max-age=60");
    co_return response;
}

}  // namespace auth::api
