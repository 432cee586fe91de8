#include "shared/http/framing.hpp"

#include <boost/beast/core/string.hpp>

namespace shared::http {

namespace bhttp = boost::beast::http;

const char* framing_fault(const bhttp::request_header<>& head) {
    const auto count = [&](bhttp::field name) { return head.count(name); };
    if (count(bhttp::field::content_length) > 1) return "more than one Content-Length";
    if (count(bhttp::field::transfer_encoding) > 1) return "more than one Transfer-Encoding";
    if (count(bhttp::field::transfer_encoding) == 1) {
        if (count(bhttp::field::content_length) != 0) return "Content-Length with Transfer-Encoding";
        if (!boost::beast::iequals(head[bhttp::field::transfer_encoding], "chunked"))
            return "unknown Transfer-Encoding";
        if (head.version() < 11) return "Transfer-Encoding on HTTP/1.0";
    }
    if (count(bhttp::field::host) > 1 || (head.version() >= 11 && count(bhttp::field::host) == 0))
        return "Host";
    if (count(bhttp::field::authorization) > 1) return "more than one Authorization";
    if (count(bhttp::field::content_type) > 1) return "more than one Content-Type";
    return nullptr;
}

}  // namespace shared::http
