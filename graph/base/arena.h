// Arena: room for many small things that live together and end together, in huge pages once there is much of it.
//
// What is put there stays where it is when the arena moves, and is never destroyed: plain data only. One thread at a
// time.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "graph/base/large_vector.h"

namespace otto {

class Arena {
 public:
  Arena() = default;
  Arena(Arena&& other) noexcept { swap(other); }
  Arena& operator=(Arena&& other) noexcept {
    Arena(std::move(other)).swap(*this);
    return *this;
  }

  /// A place for `size` bytes, to be written by the caller. `alignment`: a power of two, at most max_align_t's.
  char* room(std::size_t size, std::size_t alignment = 1);

  /// `count` value-initialised elements.
  template <typename T>
  std::span<T> array(std::size_t count) {
    const std::span<T> elements = room_for<T>(count);
    std::uninitialized_value_construct(elements.begin(), elements.end());
    return elements;
  }
  template <typename T>
  std::span<T> copy(const std::vector<T>& elements) {
    const std::span<T> copies = room_for<T>(elements.size());
    std::uninitialized_copy(elements.begin(), elements.end(), copies.begin());
    return copies;
  }
  /// `head` and `tail` as one text, without one in between.
  std::string_view joined(std::string_view head, std::string_view tail);
  std::string_view text(std::string_view text) { return joined(text, {}); }

  /// Takes over what another holds.
  void adopt(Arena&& other);

  /// Bytes handed out.
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  template <typename T>
  std::span<T> room_for(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    return {reinterpret_cast<T*>(room(count * sizeof(T), alignof(T))), count};
  }

  void swap(Arena& other) noexcept;

  std::vector<LargeBytes> blocks_;
  char* next_ = nullptr;
  std::size_t left_ = 0;  ///< bytes of the block being filled, from `next_` on
  std::size_t size_ = 0;
};

}  // namespace otto
