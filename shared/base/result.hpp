// Errors are values: what can fail at run time returns Result<T>; exceptions are for start-up only.
#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

namespace shared {

using ErrorCode = boost::system::error_code;

template <class T = void>
using Result = boost::system::result<T>;

}  // namespace shared
