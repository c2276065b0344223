// Touching many pages in one call.
//
// The first touch of a page by itself costs 15 microseconds on some virtual machines, in one call for many some 1.3.
// Linux 5.14 or newer; on an older kernel nothing happens, and each page is touched when it is needed.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace otto {

/// The whole pages between `begin` and `begin + size`, which must be writable memory of this process.
inline void prefault(void* begin, std::size_t size) {
  constexpr std::uintptr_t kPage = 4096;
  const auto address = reinterpret_cast<std::uintptr_t>(begin);
  const std::uintptr_t first = (address + kPage - 1) / kPage * kPage;
  const std::uintptr_t end = (address + size) / kPage * kPage;
  if (first < end) ::madvise(reinterpret_cast<void*>(first), end - first, MADV_POPULATE_WRITE);
}

/// What a thread's first allocations will touch: glibc gives each thread a heap of its own.
inline void prefault_thread_heap(std::size_t size) {
  void* volatile room = std::malloc(size);  // volatile: else the compiler leaves both calls out
  if (room != nullptr) prefault(room, size);
  std::free(room);
}

}  // namespace otto
