// CompactText: an owned, unchanging text that takes one pointer, for records of which there are a million.
//
// A std::string takes 32 bytes beside its allocation, mostly for room to grow. Here the length lies in front of the
// bytes and an empty text has no allocation. A value as any other: copies own their bytes; a thread of its own each.
#pragma once

#include <compare>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace otto {

class CompactText {
 public:
  CompactText() = default;
  CompactText(std::string_view text) : bytes_(packed(text, {})) {}               // NOLINT(google-explicit-constructor)
  CompactText(const std::string& text) : CompactText(std::string_view(text)) {}  // NOLINT(google-explicit-constructor)
  CompactText(const char* text) : CompactText(std::string_view(text)) {}         // NOLINT(google-explicit-constructor)
  CompactText(const CompactText& other) : CompactText(other.view()) {}
  CompactText(CompactText&&) noexcept = default;
  CompactText& operator=(const CompactText& other) { return *this = CompactText(other); }
  CompactText& operator=(CompactText&&) noexcept = default;
  ~CompactText() = default;

  /// `head` and `tail` as one text, without one in between.
  static CompactText joined(std::string_view head, std::string_view tail) {
    CompactText text;
    text.bytes_ = packed(head, tail);
    return text;
  }

  [[nodiscard]] std::string_view view() const {
    if (bytes_ == nullptr) return {};
    std::uint32_t size = 0;
    std::memcpy(&size, bytes_.get(), sizeof size);
    return {bytes_.get() + sizeof size, size};
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
  static std::unique_ptr<char[]> packed(std::string_view head, std::string_view tail) {
    const auto size = static_cast<std::uint32_t>(head.size() + tail.size());
    if (size == 0) return nullptr;
    auto bytes = std::make_unique_for_overwrite<char[]>(sizeof size + size);
    std::memcpy(bytes.get(), &size, sizeof size);
    head.copy(bytes.get() + sizeof size, head.size());
    tail.copy(bytes.get() + sizeof size + head.size(), tail.size());
    return bytes;
  }

  std::unique_ptr<char[]> bytes_;  ///< the length in 4 bytes, then the text
};

}  // namespace otto
