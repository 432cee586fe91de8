// What Beast's parser lets pass but a strict reader must not (RFC 9112 section 6; the gateway's rules).
#pragma once

#include <boost/beast/http/message.hpp>

namespace shared::http {

// Why the head cannot be trusted to say where its request ends or whose it is; nullptr: it can.
const char* framing_fault(const boost::beast::http::request_header<>& head);

}  // namespace shared::http
