// A job on the simulated parent: a coroutine, whose every step is a moment at which others act, or it is cut.
#pragma once

#include <coroutine>
#include <exception>
#include <utility>

namespace otto::simulation {

/// `co_await Step{};` stands where a real job would let time pass. Destroying a Job ends it where it stands: what its
/// frame holds, as its locks, goes with it.
using Step = std::suspend_always;

class Job {
 public:
  struct promise_type {  // NOLINT(readability-identifier-naming): the language's name
    std::exception_ptr thrown;
    Job get_return_object() { return Job(std::coroutine_handle<promise_type>::from_promise(*this)); }
    static std::suspend_always initial_suspend() noexcept { return {}; }
    static std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() { thrown = std::current_exception(); }
  };

  Job(Job&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Job& operator=(Job&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Job() {
    if (handle_) handle_.destroy();
  }

  /// Goes on to its next step. False: it has ended.
  bool resume() {
    if (!handle_ || handle_.done()) return false;
    handle_.resume();
    if (handle_.promise().thrown) std::rethrow_exception(handle_.promise().thrown);
    return !handle_.done();
  }

 private:
  explicit Job(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

}  // namespace otto::simulation
