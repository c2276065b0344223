#include "graph/context_manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "graph/fingerprint.h"

namespace otto::graph {

namespace {

constexpr std::string_view kHashedManifest = "otto-context-1";
constexpr std::string_view kStoredManifest = "otto-manifest-1";
constexpr std::string_view kModeOfDirectory = "dir-mode";
constexpr std::size_t kSmallestEntry = 16;  // "3:dir\n1:a\n4:0755\n" is 17 bytes
constexpr std::array<std::pair<EntryType, std::string_view>, 4> kTypeNames = {{{EntryType::kFile, "file"},
                                                                               {EntryType::kDirectory, "dir"},
                                                                               {EntryType::kSymlink, "symlink"},
                                                                               {EntryType::kFifo, "fifo"}}};

std::string_view type_name(EntryType type) {
  return std::find_if(kTypeNames.begin(), kTypeNames.end(), [&](const auto& t) { return t.first == type; })->second;
}

void append_mode(std::string& out, std::uint16_t mode) {
  std::array<char, 4> digits{};
  for (std::size_t i = 0; i < digits.size(); ++i) digits[i] = static_cast<char>('0' + (mode >> (9 - 3 * i) & 7));
  append_field(out, {digits.data(), digits.size()});
}

void append_number(std::string& out, std::int64_t number) { append_field(out, fmt::format_int(number).c_str()); }

/// What an entry is but for its path: what follows the path in both forms.
void append_content(std::string& out, const ContextEntry& entry) {
  if (entry.type == EntryType::kFile || entry.type == EntryType::kFifo) append_mode(out, entry.mode);
  if (entry.type == EntryType::kFile) {
    append_field(out, entry.digest.raw());
  } else if (entry.type == EntryType::kSymlink) {
    append_field(out, entry.target);
  }
}

/// The fields of docs/fingerprint.md, "Context". A directory of the usual mode is spelt as it was before modes of
/// directories counted, so that the hashes of ordinary contexts stay; any other has a type word of its own.
void append_identity(std::string& out, const ContextEntry& entry) {
  const bool odd_directory = entry.type == EntryType::kDirectory && entry.mode != kUsualDirectoryMode;
  append_field(out, odd_directory ? kModeOfDirectory : type_name(entry.type));
  append_field(out, entry.path);
  if (odd_directory) append_mode(out, entry.mode);
  append_content(out, entry);
}

}  // namespace

bool ContextEntry::same_but_for_mode(const ContextEntry& other) const {
  if (path != other.path || type != other.type) return false;
  if (type == EntryType::kFile) return digest == other.digest;
  return type != EntryType::kSymlink || target == other.target;
}

bool ContextEntry::same_content(const ContextEntry& other) const {
  return same_but_for_mode(other) && (type == EntryType::kSymlink || mode == other.mode);
}

Digest ContextManifest::hash() const {
  constexpr std::size_t kBlock = 64 << 10;
  std::optional<Sha256> hasher;  // a small manifest needs none of its own
  std::string block;
  append_field(block, kHashedManifest);
  for (const ContextEntry& entry : entries) {
    append_identity(block, entry);
    if (block.size() < kBlock) continue;
    if (!hasher) hasher.emplace();
    hasher->update(block);
    block.clear();
  }
  if (!hasher) return sha256(block);
  hasher->update(block);
  return hasher->finish();
}

const ContextEntry* ContextManifest::find(std::string_view path) const {
  const auto at =
      std::lower_bound(entries.begin(), entries.end(), path,
                       [](const ContextEntry& entry, std::string_view wanted) { return entry.path < wanted; });
  return at != entries.end() && at->path == path ? &*at : nullptr;
}

ManifestDiff diff(const ContextManifest& before, const ContextManifest& after) {
  ManifestDiff difference;
  auto old_entry = before.entries.begin();
  auto new_entry = after.entries.begin();
  while (old_entry != before.entries.end() || new_entry != after.entries.end()) {
    const bool only_old =
        new_entry == after.entries.end() || (old_entry != before.entries.end() && old_entry->path < new_entry->path);
    const bool only_new = !only_old && (old_entry == before.entries.end() || new_entry->path < old_entry->path);
    if (only_old) {
      difference.removed.push_back((old_entry++)->path);
    } else if (only_new) {
      difference.added.push_back((new_entry++)->path);
    } else {
      if (!old_entry->same_content(*new_entry)) {
        const bool only_mode = old_entry->same_but_for_mode(*new_entry);
        (only_mode ? difference.mode_changed : difference.changed).push_back(new_entry->path);
      }
      ++old_entry, ++new_entry;
    }
  }
  return difference;
}

std::string serialize(const ContextManifest& manifest) {
  std::string out;
  out.reserve(64 + manifest.entries.size() * 112);
  append_field(out, kStoredManifest);
  const std::size_t checksum = out.size();
  append_field(out, Digest().raw());  // a place for it, so that the body needs no second copy
  const std::size_t body = out.size();
  append_number(out, static_cast<std::int64_t>(manifest.entries.size()));
  for (const ContextEntry& entry : manifest.entries) {
    append_field(out, type_name(entry.type));
    append_field(out, entry.path);
    append_content(out, entry);
    if (entry.type == EntryType::kFile) {
      append_number(out, static_cast<std::int64_t>(entry.size));
      append_number(out, entry.mtime_s);
    } else if (entry.type != EntryType::kFifo) {  // whose content it is
      append_mode(out, entry.mode);
    }
  }
  std::string sum;
  append_field(sum, sha256(std::string_view(out).substr(body)).raw());
  return out.replace(checksum, sum.size(), sum);
}

namespace {

/// Takes fields one after the other; any that is missing or malformed makes the reader bad for good.
class FieldReader {
 public:
  explicit FieldReader(std::string_view in) : in_(in) {}

  std::string_view text() {
    const auto field = take_field(in_);
    good_ = good_ && field.has_value();
    return good_ ? *field : std::string_view();
  }
  template <typename Number>
  Number number(int base = 10) {
    const std::string_view digits = text();
    Number value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
    good_ = good_ && error == std::errc() && end == digits.data() + digits.size();
    return value;
  }
  std::uint16_t mode() {
    const auto mode = number<std::uint16_t>(8);
    good_ = good_ && mode <= 07777;
    return mode;
  }
  Digest digest() {
    Digest digest;
    const std::string_view bytes = text();
    good_ = good_ && bytes.size() == digest.bytes.size();
    if (good_) std::copy(bytes.begin(), bytes.end(), digest.bytes.begin());
    return digest;
  }
  EntryType type() {
    const std::string_view name = text();
    const auto known =
        std::find_if(kTypeNames.begin(), kTypeNames.end(), [&](const auto& t) { return t.second == name; });
    good_ = good_ && known != kTypeNames.end();
    return good_ ? known->first : EntryType::kFile;
  }
  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] std::string_view rest() const { return in_; }

 private:
  std::string_view in_;
  bool good_ = true;
};

ContextEntry read_entry(FieldReader& in, Arena& texts) {
  ContextEntry entry;
  entry.type = in.type();
  entry.path = CompactText::joined(in.text(), {}, texts);
  if (entry.type == EntryType::kFile) {
    entry.mode = in.mode();
    entry.digest = in.digest();
    entry.size = in.number<std::uint64_t>();
    entry.mtime_s = in.number<std::int64_t>();
    return entry;
  }
  if (entry.type == EntryType::kSymlink) entry.target = CompactText::joined(in.text(), {}, texts);
  entry.mode = in.mode();
  return entry;
}

}  // namespace

std::optional<ContextManifest> parse_manifest(std::string_view bytes) {
  FieldReader head(bytes);
  if (head.text() != kStoredManifest) return std::nullopt;
  const Digest checksum = head.digest();
  if (!head.good() || sha256(head.rest()) != checksum) return std::nullopt;

  FieldReader in(head.rest());
  const auto count = in.number<std::uint64_t>();
  if (!in.good() || count > in.rest().size() / kSmallestEntry) return std::nullopt;
  ContextManifest manifest;
  manifest.entries.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    ContextEntry entry = read_entry(in, manifest.texts);
    const bool ordered = manifest.entries.empty() || manifest.entries.back().path < entry.path;
    if (!in.good() || !ordered || entry.path.empty()) return std::nullopt;
    manifest.entries.push_back(std::move(entry));
  }
  if (!in.rest().empty()) return std::nullopt;
  return manifest;
}

}  // namespace otto::graph
