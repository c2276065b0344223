// LargeVector<T> and LargeBytes: for what grows with the number of a context's files, in huge pages once it is large.
//
// The first touch of a page costs a tenth of a microsecond on bare metal and 15 on some virtual machines, where it was
// two fifths of the processor time of an `up` with 100,000 files. The kernel hands out 2 MiB at a time where it is
// asked to (madvise); where it has none, nothing is lost. Linux only.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

namespace otto {

inline constexpr std::size_t kHugePage = std::size_t{2} << 20;

/// Bytes for std::free(), aligned for any type: huge pages from the size of one on. Throws std::bad_alloc.
inline void* allocate_large(std::size_t size) {
  const bool large = size >= kHugePage;
  const std::size_t rounded = (size + kHugePage - 1) / kHugePage * kHugePage;
  void* const bytes = large ? std::aligned_alloc(kHugePage, rounded) : std::malloc(size);
  if (bytes == nullptr) throw std::bad_alloc();
  if (large) ::madvise(bytes, rounded, MADV_HUGEPAGE);
  return bytes;
}

template <typename T>
struct LargeAllocator {
  using value_type = T;
  static_assert(alignof(T) <= alignof(std::max_align_t));

  LargeAllocator() = default;
  template <typename Other>
  LargeAllocator(const LargeAllocator<Other>&) noexcept {}  // NOLINT(google-explicit-constructor)

  T* allocate(std::size_t count) { return static_cast<T*>(allocate_large(count * sizeof(T))); }
  void deallocate(T* bytes, std::size_t) noexcept { std::free(bytes); }
  friend bool operator==(const LargeAllocator&, const LargeAllocator&) { return true; }
};

template <typename T>
using LargeVector = std::vector<T, LargeAllocator<T>>;

struct FreeLarge {
  void operator()(char* bytes) const { std::free(bytes); }
};
using LargeBytes = std::unique_ptr<char[], FreeLarge>;

/// Not initialised.
inline LargeBytes large_bytes(std::size_t size) { return LargeBytes(static_cast<char*>(allocate_large(size))); }

}  // namespace otto
