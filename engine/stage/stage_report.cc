#include "engine/stage/stage_report.h"

#include <algorithm>
#include <charconv>

namespace otto::stage {
namespace {

constexpr std::size_t kLongestLine = 16 * 1024;
constexpr std::size_t kLargestSection = std::size_t{1} << 30U;

std::string_view next_word(std::string_view& rest) {
  auto end = std::min(rest.find(' '), rest.size());
  auto word = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return word;
}

}  // namespace

void StageReportReader::feed(std::string_view bytes) {
  while (!bytes.empty() && !report_.garbled) {
    if (section_left_ > 0) {
      auto part = bytes.substr(0, section_left_);
      report_.sections[section_] += part;
      section_left_ -= part.size();
      bytes.remove_prefix(part.size());
      continue;
    }
    auto end = bytes.find('\n');
    line_ += bytes.substr(0, end);
    if (end == std::string_view::npos) {
      report_.garbled = line_.size() > kLongestLine;
      return;
    }
    bytes.remove_prefix(end + 1);
    read_line(line_);
    line_.clear();
  }
}

void StageReportReader::read_line(std::string_view line) {
  if (auto holder = parent::read_waiting(line)) {
    report_.waiting = std::move(holder);
    return;
  }
  auto word = next_word(line);
  if (word == "state") {
    report_.condition = next_word(line);
    report_.stamp = next_word(line);
    report_.manifest = next_word(line);
    report_.directory = line;
    report_.garbled = report_.directory.empty() || report_.directory.front() != '/';
  } else if (word == "section") {
    section_ = next_word(line);
    auto [end, code] = std::from_chars(line.data(), line.data() + line.size(), section_left_);
    report_.garbled = code != std::errc{} || end != line.data() + line.size() || section_left_ > kLargestSection;
    report_.sections[section_].clear();
  } else if (word == "ready") {
    report_.ready = true;
    report_.garbled = report_.directory.empty();
  } else if (word == "done") {
    report_.done = true;
  } else {
    report_.garbled = true;
  }
}

}  // namespace otto::stage
