// The one translation unit that compiles Asio and Beast (see boost_net in shared/cmake/Dependencies.cmake).
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
