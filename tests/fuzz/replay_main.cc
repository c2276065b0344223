// Feeds every file of a corpus to a fuzz target, so that what fuzzing once found stays found in ordinary test runs.
//
// Usage: otto_fuzz_replay TARGET DIRECTORY. Each file is also tried cut short and with a byte changed at each of its
// first places: the nearest neighbours of a known case, for parsers that fail at the edges. Exits 1 where the corpus is
// missing or empty, 2 where there is no such target.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#define TARGET(name) extern "C" int otto_fuzz_##name(const std::uint8_t* data, std::size_t size);
#include <fuzz_targets.inc>
#undef TARGET

namespace {

using Target = int (*)(const std::uint8_t*, std::size_t);

Target target_named(std::string_view wanted) {
#define TARGET(name) \
  if (wanted == #name) return otto_fuzz_##name;
#include <fuzz_targets.inc>
#undef TARGET
  return nullptr;
}

constexpr std::size_t kVariants = 256;

/// A copy of exact size on the heap, so that sanitizers see one byte too many.
void feed(Target target, const std::string& bytes) {
  const std::vector<std::uint8_t> input(bytes.begin(), bytes.end());
  target(input.data(), input.size());
}

void feed_with_neighbours(Target target, const std::string& bytes) {
  feed(target, bytes);
  const std::size_t step = std::max<std::size_t>(1, bytes.size() / kVariants);
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    feed(target, bytes.substr(0, at));
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 0x80);
    feed(target, changed);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const Target target = target_named(argc > 2 ? argv[1] : "");
  if (target == nullptr) return 2;
  std::error_code failure;
  std::size_t files = 0;
  for (std::filesystem::directory_iterator it(argv[2], failure), end; !failure && it != end; it.increment(failure)) {
    std::ifstream stream(it->path(), std::ios::binary);
    feed_with_neighbours(target, {std::istreambuf_iterator<char>(stream), {}});
    ++files;
  }
  std::printf("%zu corpus files replayed\n", files);
  return files == 0 ? 1 : 0;
}
