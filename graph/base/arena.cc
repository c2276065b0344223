#include "graph/base/arena.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

namespace otto {

namespace {

constexpr std::size_t kFirstBlock = std::size_t{4} << 10;
constexpr std::size_t kSecondBlock = std::size_t{256} << 10;

}  // namespace

char* Arena::room(std::size_t size, std::size_t alignment) {
  const std::size_t padding = -reinterpret_cast<std::uintptr_t>(next_) & (alignment - 1);
  if (padding + size > left_) {
    const std::size_t usual = blocks_.empty() ? kFirstBlock : blocks_.size() == 1 ? kSecondBlock : kHugePage;
    left_ = std::max(size, usual);
    next_ = blocks_.emplace_back(large_bytes(left_)).get();
  } else {
    next_ += padding;
    left_ -= padding;
  }
  left_ -= size;
  size_ += size;
  return std::exchange(next_, next_ + size);
}

std::string_view Arena::joined(std::string_view head, std::string_view tail) {
  char* const bytes = room(head.size() + tail.size());
  head.copy(bytes, head.size());
  tail.copy(bytes + head.size(), tail.size());
  return {bytes, head.size() + tail.size()};
}

void Arena::swap(Arena& other) noexcept {
  blocks_.swap(other.blocks_);
  std::swap(next_, other.next_);
  std::swap(left_, other.left_);
  std::swap(size_, other.size_);
}

void Arena::adopt(Arena&& other) {
  std::move(other.blocks_.begin(), other.blocks_.end(), std::back_inserter(blocks_));
  if (left_ < other.left_) std::swap(next_, other.next_), std::swap(left_, other.left_);
  size_ += other.size_;
  other = Arena();
}

}  // namespace otto
