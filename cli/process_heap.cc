#include "cli/process_heap.h"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

#include "graph/base/large_vector.h"

namespace otto::cli {

namespace {

constexpr int kStep = 8 << 20;
constexpr int kOwnMapping = 1 << 20;  ///< what is larger gets a mapping of its own and gives it back
constexpr int kMostKept = 64 << 20;
constexpr std::size_t kBefore = std::size_t{160} << 10;           ///< room in front of the first huge page
constexpr std::size_t kMoreThanIsThere = std::size_t{136} << 10;  ///< makes the heap grow, and lies in that room

}  // namespace

void prepare_heap() {
  ::mallopt(M_TOP_PAD, kStep);
  ::mallopt(M_TRIM_THRESHOLD, kMostKept);
  ::mallopt(M_MMAP_THRESHOLD, kOwnMapping);
  // Small commands end before the first huge page, and nothing touches it before it is one.
  const auto now = reinterpret_cast<std::uintptr_t>(::sbrk(0));
  const std::uintptr_t huge_page = (now + kBefore + kHugePage - 1) / kHugePage * kHugePage;
  ::sbrk(static_cast<std::intptr_t>(huge_page - kBefore - now));
  void* volatile grown = std::malloc(kMoreThanIsThere);  // volatile: else the compiler leaves both calls out
  std::free(grown);
  const std::uintptr_t end = reinterpret_cast<std::uintptr_t>(::sbrk(0)) / kHugePage * kHugePage;
  if (end > huge_page) ::madvise(reinterpret_cast<void*>(huge_page), end - huge_page, MADV_HUGEPAGE);
}

}  // namespace otto::cli
