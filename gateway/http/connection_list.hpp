#pragma once

#include <cstddef>

namespace gateway::http {

class Http1Connection;

// Connections in the order they were added; each has the links itself.
class ConnectionList {
  public:
    struct Links {
        Http1Connection* previous = nullptr;
        Http1Connection* next = nullptr;
    };
    using Member = Links Http1Connection::*;

    bool has(const Http1Connection& connection, Member links) const;
    // These do nothing where it is in the list already, or is not.
    void add(Http1Connection& connection, Member links);
    void remove(Http1Connection& connection, Member links);

    Http1Connection* first = nullptr;
    Http1Connection* last = nullptr;
    std::size_t size = 0;
};

}  // namespace gateway::http
