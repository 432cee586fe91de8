#include "gateway/http/connection_list.hpp"

#include "gateway/http/http1_connection.hpp"

namespace gateway::http {

bool ConnectionList::has(const Http1Connection& connection, Member links) const {
    return first == &connection || (connection.*links).previous != nullptr;
}

void ConnectionList::add(Http1Connection& connection, Member links) {
    if (has(connection, links)) return;
    connection.*links = {last, nullptr};
    (last ? (last->*links).next : first) = &connection;
    last = &connection;
    ++size;
}

void ConnectionList::remove(Http1Connection& connection, Member links) {
    if (!has(connection, links)) return;
    const Links own = connection.*links;
    (own.previous ? (own.previous->*links).next : first) = own.next;
    (own.next ? (own.next->*links).previous : last) = own.previous;
    connection.*links = {};
    --size;
}

}  // namespace gateway::http
