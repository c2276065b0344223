// The one error idiom of the project: a Result<T> holds a value or an Error.
//
// Error says what failed (a closed code, so callers decide by code and never by text), names the value at fault,
// carries the steps that led there (outermost first) and a hint: what the user can do about it. Third-party
// exceptions are turned into Errors in the .cc that wraps the library; broken invariants of our own abort.
// Values only, no ownership beyond them; every type here may be used from any thread.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace otto {

/// What failed, as far as a caller may act on it. The CLI maps each to one exit code (cli/command_line/exit_code.h).
enum class ErrorCode {
  kUsage,           ///< the command line is wrong                                    (exit 2)
  kConfig,          ///< settings.toml, hosts.json, a compose file or a Dockerfile is wrong (exit 2)
  kUnknownName,     ///< an image, service, host, lab or repo nobody declared         (exit 2)
  kUnreachable,     ///< no TCP connection, name not resolved, no route               (exit 3)
  kAuthFailed,      ///< the host refused every way of logging in                     (exit 3)
  kHostKey,         ///< the host's key is unknown (strict) or has changed            (exit 3)
  kTimedOut,        ///< the host did not answer in time while connecting             (exit 3)
  kConnectionLost,  ///< an established connection broke                              (exit 1, or 255 for `host run`)
  kRemoteFailed,    ///< a remote command exited non-zero                             (exit 1)
  kDockerMissing,   ///< the parent has no docker command or no engine answers        (exit 1)
  kDockerDenied,    ///< the user may not use the parent's Docker engine              (exit 1)
  kBuildFailed,     ///< `docker build` failed: the Dockerfile or its inputs          (exit 1)
  kComposeFailed,   ///< a compose call failed                                        (exit 1)
  kNotRunning,      ///< a container is declared but cannot be brought up             (exit 1)
  kInputsChanged,   ///< files kept changing while they were read                     (exit 1)
  kIo,              ///< a local file or process operation failed                     (exit 1)
  kDatabase,        ///< the memo could not be used                                   (exit 1)
  kUnsupported,     ///< known, but this build or parent cannot do it                 (exit 1)
  kInterrupted,     ///< cancelled by the user                                        (exit 130)
};

/// The stable spelling used in JSON ("unknown_name", "auth_failed", …).
std::string_view error_code_name(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kIo;
  std::string message;               ///< what happened, naming the value at fault
  std::vector<std::string> context;  ///< what was being done, outermost first
  std::string hint;                  ///< what the user can do; may be empty

  /// Adds an outer step: "while uploading context of image 'api'".
  Error& in(std::string step) & {
    context.insert(context.begin(), std::move(step));
    return *this;
  }
  Error&& in(std::string step) && { return std::move(in(std::move(step))); }
  Error&& with_hint(std::string text) && {
    hint = std::move(text);
    return std::move(*this);
  }
};

inline Error make_error(ErrorCode code, std::string message, std::string hint = {}) {
  return Error{code, std::move(message), {}, std::move(hint)};
}

/// Aborts with a message: for invariants of our own that do not hold.
[[noreturn]] inline void panic(const char* what, const char* file, int line) {
  std::fprintf(stderr, "otto: internal error: %s (%s:%d)\n", what, file, line);
  std::abort();
}
#define OTTO_CHECK(condition) ((condition) ? void(0) : ::otto::panic(#condition, __FILE__, __LINE__))

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return check(), std::get<0>(state_); }
  const T& value() const& { return check(), std::get<0>(state_); }
  T&& value() && { return check(), std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T operator*() && { return std::move(*this).value(); }  // by value: `for (x : *f())` must not dangle
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  Error& error() & { return std::get<1>(state_); }
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  void check() const {
    if (!ok()) panic(std::get<1>(state_).message.c_str(), __FILE__, __LINE__);
  }
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)), ok_(false) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }
  Error& error() & { return error_; }
  const Error& error() const& { return error_; }
  Error&& error() && { return std::move(error_); }

 private:
  Error error_;
  bool ok_ = true;
};

}  // namespace otto

#define OTTO_CONCAT_INNER(a, b) a##b
#define OTTO_CONCAT(a, b) OTTO_CONCAT_INNER(a, b)

/// `OTTO_TRY(auto x, f());` declares x from f()'s value, or returns f()'s error from the enclosing function.
#define OTTO_TRY(declaration, ...) OTTO_TRY_INNER(OTTO_CONCAT(otto_try_, __LINE__), declaration, __VA_ARGS__)
#define OTTO_TRY_INNER(name, declaration, ...)    \
  auto name = (__VA_ARGS__);                      \
  if (!name.ok()) return std::move(name).error(); \
  declaration = std::move(name).value()

/// `OTTO_RETURN_IF_ERROR(f());` returns f()'s error from the enclosing function; a value is dropped.
#define OTTO_RETURN_IF_ERROR(...)                                 \
  do {                                                            \
    auto otto_status = (__VA_ARGS__);                             \
    if (!otto_status.ok()) return std::move(otto_status).error(); \
  } while (false)
