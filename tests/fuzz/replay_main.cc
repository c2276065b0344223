// Feeds every file of a corpus to a fuzz target, so that what fuzzing once found stays found in ordinary test runs.
//
// Usage: replay DIRECTORY. Each file is also tried cut short and with a byte changed at each of its first places: the
// nearest neighbours of a known case, for parsers that fail at the edges. Exits 1 where the corpus is missing or empty.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::size_t kVariants = 256;

/// A copy of exact size on the heap, so that sanitizers see one byte too many.
void feed(const std::string& bytes) {
  const std::vector<std::uint8_t> input(bytes.begin(), bytes.end());
  LLVMFuzzerTestOneInput(input.data(), input.size());
}

void feed_with_neighbours(const std::string& bytes) {
  feed(bytes);
  const std::size_t step = std::max<std::size_t>(1, bytes.size() / kVariants);
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    feed(bytes.substr(0, at));
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 0x80);
    feed(changed);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::error_code failure;
  std::size_t files = 0;
  for (std::filesystem::directory_iterator it(argc > 1 ? argv[1] : "", failure), end; !failure && it != end;
       it.increment(failure)) {
    std::ifstream stream(it->path(), std::ios::binary);
    feed_with_neighbours({std::istreambuf_iterator<char>(stream), {}});
    ++files;
  }
  std::printf("%zu corpus files replayed\n", files);
  return files == 0 ? 1 : 0;
}
