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
constexpr std::size_t kMoreThanIsThere = std::size_t{192} << 10;
constexpr std::size_t kBefore = std::size_t{384} << 10;

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
  const auto end = reinterpret_cast<std::uintptr_t>(::sbrk(0)) / kHugePage * kHugePage;
  const std::uintptr_t begin = (end - kStep + kHugePage - 1) / kHugePage * kHugePage;
  ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
}

}  // namespace otto::cli
