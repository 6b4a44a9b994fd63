#pragma once

#include <string>

#include "core/base/error.h"

namespace bitlaw {

/// The message of the InputError that `action()` throws, or "no error".
template <typename Action>
std::string message_of(Action action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace bitlaw
