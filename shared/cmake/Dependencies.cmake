# Everything comes from Debian bookworm's packages; deploy/packages.txt lists them.
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(PostgreSQL REQUIRED)
find_package(mongoc-1.0 REQUIRED)
find_package(spdlog REQUIRED)
find_package(prometheus-cpp REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(ARGON2 REQUIRED IMPORTED_TARGET libargon2)
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)

# Asio and Beast are compiled once (shared/base/boost.cpp); every user sees declarations only.
add_library(boost_net INTERFACE)
target_link_libraries(boost_net INTERFACE Threads::Threads OpenSSL::SSL OpenSSL::Crypto)
target_include_directories(boost_net SYSTEM INTERFACE ${Boost_INCLUDE_DIRS})
target_compile_definitions(boost_net INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
  BOOST_ASIO_DISABLE_BOOST_COROUTINE BOOST_ALLOW_DEPRECATED_HEADERS)

# libmongoc's headers are not clean under our warnings.
add_library(mongoc INTERFACE)
get_target_property(_mongoc_includes mongo::mongoc_shared INTERFACE_INCLUDE_DIRECTORIES)
get_target_property(_bson_includes mongo::bson_shared INTERFACE_INCLUDE_DIRECTORIES)
target_include_directories(mongoc SYSTEM INTERFACE ${_mongoc_includes} ${_bson_includes})
target_link_libraries(mongoc INTERFACE mongo::mongoc_shared)
