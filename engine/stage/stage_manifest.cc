#include "engine/stage/stage_manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <unordered_set>

namespace otto::stage {
namespace {

using graph::ContextEntry;
using graph::EntryType;

constexpr char kSeparator = '\x01';

char type_letter(EntryType type) {
  switch (type) {
    case EntryType::kFile: return 'f';
    case EntryType::kDirectory: return 'd';
    case EntryType::kSymlink: return 'l';
    case EntryType::kFifo: return 'p';
  }
  return '?';
}

template <typename Number>
bool parse_number(std::string_view text, Number& number, int base = 10) {
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return code == std::errc{} && end == text.data() + text.size();
}

/// Cuts the text before `separator` off `rest`; nullopt where there is none.
std::optional<std::string_view> cut(std::string_view& rest, char separator) {
  auto at = rest.find(separator);
  if (at == std::string_view::npos) return std::nullopt;
  auto head = rest.substr(0, at);
  rest.remove_prefix(at + 1);
  return head;
}

bool parse_file(std::string_view mode, std::string_view size, std::string_view content, ContextEntry& entry) {
  auto digest = graph::Digest::from_hex(content);
  if (!digest || !parse_number(mode, entry.mode, 8) || !parse_number(size, entry.size)) return false;
  entry.digest = *digest;
  return true;
}

std::optional<ContextEntry> parse_line(std::string_view line) {
  auto path = cut(line, kSeparator);
  auto type = cut(line, kSeparator);
  auto mode = cut(line, kSeparator);
  auto size = cut(line, kSeparator);
  if (!size || line.find(kSeparator) != std::string_view::npos) return std::nullopt;
  auto plain = unescape_field(*path);
  if (!plain || plain->empty()) return std::nullopt;
  ContextEntry entry;
  entry.path = std::move(*plain);
  if (*type == "d") {
    entry.type = EntryType::kDirectory;
    entry.mode = graph::kUsualDirectoryMode;
    if (!mode->empty() && !parse_number(*mode, entry.mode, 8)) return std::nullopt;
  } else if (*type == "l") {
    auto target = unescape_field(line);
    if (!target) return std::nullopt;
    entry.type = EntryType::kSymlink;
    entry.mode = 0777;
    entry.target = std::move(*target);
  } else if (*type == "p") {
    entry.type = EntryType::kFifo;
    if (!line.empty() || !parse_number(*mode, entry.mode, 8)) return std::nullopt;
  } else if (*type != "f" || !parse_file(*mode, *size, line, entry)) {
    return std::nullopt;
  }
  return entry;
}

/// The order of "PATH//" lines, in which the parent lists.
bool before_in_listing(const ContextEntry* a, const ContextEntry* b) {
  auto common = std::min(a->path.size(), b->path.size());
  if (int order = std::string_view(a->path).substr(0, common).compare(std::string_view(b->path).substr(0, common)))
    return order < 0;
  if (a->path.size() == b->path.size()) return false;
  auto rest = a->path.size() < b->path.size() ? std::string_view(b->path).substr(common)
                                              : std::string_view(a->path).substr(common);
  bool shorter_first = std::string_view("//") < rest;
  return (a->path.size() < b->path.size()) == shorter_first;
}

}  // namespace

StagedEntries::StagedEntries(const graph::ContextManifest& manifest) {
  std::unordered_set<std::string_view> directories;
  sorted_.reserve(manifest.entries.size());
  for (const auto& entry : manifest.entries) {
    sorted_.push_back(&entry);
    if (entry.type == EntryType::kDirectory) directories.insert(entry.path);
  }
  for (const auto& entry : manifest.entries) {
    std::string_view path = entry.path;
    for (auto slash = path.rfind('/'); slash != std::string_view::npos; slash = path.rfind('/')) {
      path = path.substr(0, slash);
      if (path == ".." || directories.contains(path)) break;  // what lies beside the tree lies in the stage
      implied_.push_back({std::string(path), EntryType::kDirectory, graph::kUsualDirectoryMode, 0, 0, {}, {}});
      sorted_.push_back(&implied_.back());
      directories.insert(implied_.back().path);
    }
  }
  auto by_path = [](const ContextEntry* a, const ContextEntry* b) { return a->path < b->path; };
  if (!implied_.empty()) std::sort(sorted_.begin(), sorted_.end(), by_path);
}

const ContextEntry* StagedEntries::find(std::string_view path) const {
  auto at = std::lower_bound(sorted_.begin(), sorted_.end(), path,
                             [](const ContextEntry* entry, std::string_view wanted) { return entry->path < wanted; });
  return at != sorted_.end() && (*at)->path == path ? *at : nullptr;
}

bool same_staged_content(const ContextEntry& a, const ContextEntry& b) {
  if (a.type != b.type) return false;
  if (a.type == EntryType::kFile) return a.size == b.size && a.digest == b.digest;
  return a.type != EntryType::kSymlink || a.target == b.target;
}

bool same_staged(const ContextEntry& a, const ContextEntry& b) {
  return same_staged_content(a, b) && (a.type == EntryType::kSymlink || a.mode == b.mode);
}

std::string escape_field(std::string_view field) {
  std::string escaped;
  escaped.reserve(field.size());
  for (char byte : field) {
    switch (byte) {
      case '\x01':
        escaped +=
            "\x02"
            "a";
        break;
      case '\x02':
        escaped +=
            "\x02"
            "b";
        break;
      case '\t': escaped += "\ta"; break;
      case '\n': escaped += "\tb"; break;
      default: escaped += byte;
    }
  }
  return escaped;
}

std::optional<std::string> unescape_field(std::string_view field) {
  std::string plain;
  plain.reserve(field.size());
  for (std::size_t at = 0; at < field.size(); ++at) {
    char byte = field[at];
    if (byte != '\x02' && byte != '\t') {
      plain += byte;
      continue;
    }
    if (++at == field.size() || (field[at] != 'a' && field[at] != 'b')) return std::nullopt;
    bool first = field[at] == 'a';
    plain += byte == '\x02' ? (first ? '\x01' : '\x02') : (first ? '\t' : '\n');
  }
  return plain;
}

std::string manifest_line(const ContextEntry& entry) {
  std::string line = escape_field(entry.path);
  line += kSeparator;
  line += type_letter(entry.type);
  switch (entry.type) {
    case EntryType::kFile:
      line += fmt::format("\x01{:o}\x01{}\x01{}\n", entry.mode, entry.size, entry.digest.hex());
      break;
    case EntryType::kDirectory:  // as lines were before modes of directories counted, where it is the usual one
      line += entry.mode == graph::kUsualDirectoryMode ? "\x01" : fmt::format("\x01{:o}", entry.mode);
      line += "\x01\x01\n";
      break;
    case EntryType::kFifo: line += fmt::format("\x01{:o}\x01\x01\n", entry.mode); break;
    case EntryType::kSymlink: line += "\x01\x01\x01" + escape_field(entry.target) + "\n"; break;
  }
  return line;
}

std::optional<graph::ContextManifest> parse_manifest_lines(std::string_view text) {
  graph::ContextManifest manifest;
  while (!text.empty()) {
    auto line = cut(text, '\n');
    if (!line) return std::nullopt;
    auto entry = parse_line(*line);
    if (!entry) return std::nullopt;
    if (!manifest.entries.empty() && !(manifest.entries.back().path < entry->path)) return std::nullopt;
    manifest.entries.push_back(std::move(*entry));
  }
  return manifest;
}

graph::Digest manifest_digest(const StagedEntries& entries) {
  graph::Sha256 hasher;
  for (const auto* entry : entries.sorted()) hasher.update(manifest_line(*entry));
  return hasher.finish();
}

graph::Digest shape_digest(const StagedEntries& entries) {
  auto listed = entries.sorted();
  std::sort(listed.begin(), listed.end(), before_in_listing);
  graph::Sha256 hasher;
  for (const auto* entry : listed) {
    std::string line = entry->path;
    switch (entry->type) {
      case EntryType::kFile: line += fmt::format("//f {:o} {}", entry->mode, entry->size); break;
      case EntryType::kDirectory: line += fmt::format("//d {:o}", entry->mode); break;
      case EntryType::kFifo: line += fmt::format("//p {:o}", entry->mode); break;
      case EntryType::kSymlink: line += "//l " + entry->target; break;
    }
    line += '\0';
    hasher.update(line);
  }
  return hasher.finish();
}

std::string bumps_text(const Bumps& bumps) {
  std::string text;
  for (const auto& [path, bump] : bumps) text += fmt::format("{}\x01{}\n", escape_field(path), bump);
  return text;
}

std::optional<Bumps> parse_bumps(std::string_view text) {
  Bumps bumps;
  while (!text.empty()) {
    auto line = cut(text, '\n');
    if (!line) return std::nullopt;
    auto path = cut(*line, kSeparator);
    unsigned bump = 0;
    if (!path || !parse_number(*line, bump)) return std::nullopt;
    auto plain = unescape_field(*path);
    if (!plain) return std::nullopt;
    bumps.emplace(std::move(*plain), bump);
  }
  return bumps;
}

std::int64_t staged_seconds(const ContextEntry& entry) {
  constexpr std::int64_t kLast = (std::int64_t{1} << 33) - 1;
  return std::clamp<std::int64_t>(entry.mtime_s, 0, kLast);
}

unsigned staged_nanoseconds(const ContextEntry& entry, unsigned bump) {
  auto digest = entry.type == EntryType::kSymlink ? graph::sha256(entry.target) : entry.digest;
  std::uint32_t bits = 0;
  for (std::size_t at = 0; at < 4; ++at) bits = bits << 8U | digest.bytes[at];
  return static_cast<unsigned>((std::uint64_t{bits & 0x3fffffffU} + bump) % 1'000'000'000U);
}

}  // namespace otto::stage
