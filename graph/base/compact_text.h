// CompactText: an unchanging text that takes one pointer, for records of which there are a million.
//
// A std::string takes 32 bytes beside its allocation, mostly for room to grow. Here the length lies in front of the
// bytes and an empty text has no allocation. A value as any other: it owns its bytes, but for one made in an arena,
// which lasts as long as the arena; its copies own theirs. A thread of its own each.
#pragma once

#include <compare>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include "graph/base/arena.h"

namespace otto {

class CompactText {
 public:
  CompactText() = default;
  CompactText(std::string_view text)  // NOLINT(google-explicit-constructor)
      : bytes_(packed(text, {}, [](std::size_t size) { return static_cast<char*>(::operator new(size)); })) {}
  CompactText(const std::string& text) : CompactText(std::string_view(text)) {}  // NOLINT(google-explicit-constructor)
  CompactText(const char* text) : CompactText(std::string_view(text)) {}         // NOLINT(google-explicit-constructor)
  CompactText(const CompactText& other) : CompactText(other.view()) {}
  CompactText(CompactText&&) noexcept = default;
  CompactText& operator=(const CompactText& other) { return *this = CompactText(other); }
  CompactText& operator=(CompactText&&) noexcept = default;
  ~CompactText() = default;

  /// `head` and `tail` as one text, without one in between.
  static CompactText joined(std::string_view head, std::string_view tail, Arena& arena) {
    CompactText text;
    char* const bytes = packed(head, tail, [&](std::size_t size) { return arena.room(size, kAlignment); });
    if (bytes != nullptr) text.bytes_.reset(bytes + kBorrowed);
    return text;
  }

  [[nodiscard]] std::string_view view() const {
    if (bytes_ == nullptr) return {};
    const char* const bytes = bytes_.get() - reinterpret_cast<std::uintptr_t>(bytes_.get()) % kAlignment;
    std::uint32_t size = 0;
    std::memcpy(&size, bytes, sizeof size);
    return {bytes + sizeof size, size};
  }
  operator std::string_view() const { return view(); }          // NOLINT(google-explicit-constructor)
  operator std::string() const { return std::string(view()); }  // NOLINT(google-explicit-constructor)
  [[nodiscard]] std::size_t size() const { return view().size(); }
  [[nodiscard]] bool empty() const { return bytes_ == nullptr; }

  friend bool operator==(const CompactText& a, const CompactText& b) { return a.view() == b.view(); }
  friend auto operator<=>(const CompactText& a, const CompactText& b) { return a.view() <=> b.view(); }
  template <std::convertible_to<std::string_view> Text>
  friend bool operator==(const CompactText& a, const Text& b) {
    return a.view() == std::string_view(b);
  }
  template <std::convertible_to<std::string_view> Text>
  friend auto operator<=>(const CompactText& a, const Text& b) {
    return a.view() <=> std::string_view(b);
  }
  friend std::string operator+(std::string a, const CompactText& b) { return std::move(a += b.view()); }
  friend std::ostream& operator<<(std::ostream& out, const CompactText& text) { return out << text.view(); }

 private:
  /// An address one past an even one says that the bytes are an arena's.
  static constexpr std::size_t kAlignment = 2, kBorrowed = 1;
  struct Free {
    void operator()(char* bytes) const {
      const auto address = reinterpret_cast<std::uintptr_t>(bytes);
      // The mask, which changes nothing, is for GCC: it takes a borrowed address for freed (-Wfree-nonheap-object).
      if (address % kAlignment != kBorrowed) ::operator delete(reinterpret_cast<void*>(address & ~kBorrowed));
    }
  };

  template <typename Allocate>
  static char* packed(std::string_view head, std::string_view tail, Allocate allocate) {
    const auto size = static_cast<std::uint32_t>(head.size() + tail.size());
    if (size == 0) return nullptr;
    char* const bytes = allocate(sizeof size + size);
    std::memcpy(bytes, &size, sizeof size);
    head.copy(bytes + sizeof size, head.size());
    tail.copy(bytes + sizeof size + head.size(), tail.size());
    return bytes;
  }

  std::unique_ptr<char, Free> bytes_;  ///< the length in 4 bytes, then the text
};

}  // namespace otto
