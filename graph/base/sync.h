// Sync<T>: a value that can only be reached while its mutex is held, so that forgetting the lock does not compile.
//
// After nix's sync.hh (the idea, not the code). lock() gives a handle that dereferences to the value and can wait on a
// condition variable; it unlocks when it goes. Do not keep a reference to the value beyond its handle.
#pragma once

#include <condition_variable>
#include <mutex>
#include <utility>

namespace otto {

template <typename T>
class Sync {
 public:
  class Handle {
   public:
    T* operator->() { return value_; }
    T& operator*() { return *value_; }

    /// Unlocks, waits until `ready(value)` holds or `stop` is asked for, locks again. False: stopped first.
    template <typename StopToken, typename Ready>
    bool wait(std::condition_variable_any& changed, StopToken stop, Ready ready) {
      return changed.wait(lock_, stop, [&] { return ready(*value_); });
    }
    /// As above, without a stop token.
    template <typename Ready>
    void wait(std::condition_variable_any& changed, Ready ready) {
      changed.wait(lock_, [&] { return ready(*value_); });
    }
    /// As above, for `timeout` at most. False: `ready` still does not hold.
    template <typename Duration, typename Ready>
    bool wait_for(std::condition_variable_any& changed, Duration timeout, Ready ready) {
      return changed.wait_for(lock_, timeout, [&] { return ready(*value_); });
    }
    /// As above, and until `stop` is asked for at most. False: `ready` still does not hold.
    template <typename StopToken, typename Duration, typename Ready>
    bool wait_for(std::condition_variable_any& changed, StopToken stop, Duration timeout, Ready ready) {
      return changed.wait_for(lock_, stop, timeout, [&] { return ready(*value_); });
    }

   private:
    friend class Sync;
    Handle(std::mutex& mutex, T* value) : lock_(mutex), value_(value) {}
    std::unique_lock<std::mutex> lock_;
    T* value_;
  };

  Sync() = default;
  explicit Sync(T value) : value_(std::move(value)) {}

  [[nodiscard]] Handle lock() { return Handle(mutex_, &value_); }

 private:
  std::mutex mutex_;
  T value_{};
};

}  // namespace otto
