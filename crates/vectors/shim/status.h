// How a C++ failure crosses into Rust: as a status and a message, never as an exception.
#pragma once

#include <cstddef>
#include <cstring>
#include <exception>
#include <new>

enum cutover_status {
  CUTOVER_OK = 0,
  CUTOVER_OUT_OF_MEMORY = 1,
  CUTOVER_FAILED = 2,
};

namespace cutover {

inline cutover_status fail(const char* what, char* message, size_t message_len) noexcept {
  if (message_len > 0) {
    std::strncpy(message, what, message_len - 1);
    message[message_len - 1] = '\0';
  }
  return CUTOVER_FAILED;
}

// Runs `body`; whatever it throws becomes a status.
template <typename Body>
cutover_status guarded(char* message, size_t message_len, Body&& body) noexcept {
  try {
    body();
    return CUTOVER_OK;
  } catch (const std::bad_alloc&) {
    return CUTOVER_OUT_OF_MEMORY;
  } catch (const std::exception& error) {
    return fail(error.what(), message, message_len);
  } catch (...) {
    return fail("an exception that is no std::exception", message, message_len);
  }
}

}  // namespace cutover
