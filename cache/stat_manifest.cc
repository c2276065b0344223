#include "cache/stat_manifest.h"

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstring>

namespace otto::cache {

namespace {

static_assert(std::endian::native == std::endian::little, "the stored form is little-endian");

constexpr std::string_view kVersion = "otto-stat-1\n";
constexpr std::size_t kHead = kVersion.size() + sizeof(std::uint64_t) * 2;  // behind it the checksum's bytes begin
constexpr std::size_t kSmallestEntry = 40;

// Flags of an entry; the type is in the low two bits.
constexpr std::uint8_t kTypeMask = 3;
constexpr std::uint8_t kRacy = 4;
constexpr std::uint8_t kSameDevice = 8;  ///< as the entry before

template <std::integral Number>
void put(std::string& out, Number number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void put_text(std::string& out, std::string_view text) {
  put(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}

std::size_t common_head(std::string_view a, std::string_view b) {
  const auto end =
      std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(std::min(a.size(), b.size())), b.begin());
  return static_cast<std::size_t>(end.first - a.begin());
}

/// Takes values off the head; reading past the end makes it bad for good and yields zeros.
class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}

  template <std::integral Number>
  Number take() {
    Number number = 0;
    take_into(&number, sizeof number);
    return number;
  }
  void take_into(void* to, std::size_t size) {
    good_ = good_ && size <= in_.size();
    if (!good_) return;
    std::memcpy(to, in_.data(), size);
    in_.remove_prefix(size);
  }
  std::string_view take_text() {
    const auto size = take<std::uint32_t>();
    good_ = good_ && size <= in_.size();
    if (!good_) return {};
    const std::string_view text = in_.substr(0, size);
    in_.remove_prefix(size);
    return text;
  }
  void require(bool condition) { good_ = good_ && condition; }
  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] std::string_view rest() const { return in_; }

 private:
  std::string_view in_;
  bool good_ = true;
};

void take_entry(Reader& in, StatEntry& entry, const StatEntry& before, Arena& texts) {
  const auto flags = in.take<std::uint8_t>();
  in.require((flags & kTypeMask) <= static_cast<std::uint8_t>(graph::EntryType::kFifo));
  entry.type = static_cast<graph::EntryType>(flags & kTypeMask);
  entry.racy = (flags & kRacy) != 0;
  const auto head = in.take<std::uint32_t>();
  in.require(head <= before.path.size());
  const std::string_view tail = in.take_text();
  if (!in.good()) return;
  char* const path = texts.room(head + tail.size());
  std::copy_n(before.path.data(), head, path);
  std::copy(tail.begin(), tail.end(), path + head);
  entry.path = {path, head + tail.size()};
  entry.mode = in.take<std::uint16_t>();
  entry.device = (flags & kSameDevice) != 0 ? before.device : in.take<std::uint64_t>();
  entry.inode = in.take<std::uint64_t>();
  entry.size = in.take<std::uint64_t>();
  entry.mtime_ns = in.take<std::int64_t>();
  entry.ctime_ns = in.take<std::int64_t>();
  if (entry.type == graph::EntryType::kFile) {
    entry.change.high = in.take<std::uint64_t>();
    entry.change.low = in.take<std::uint64_t>();
    in.take_into(entry.digest.bytes.data(), entry.digest.bytes.size());
  } else if (entry.type == graph::EntryType::kSymlink) {
    entry.target = CompactText::joined(in.take_text(), {}, texts);
  }
}

}  // namespace

StatWriter::StatWriter(std::size_t entries) : out_(kVersion) {
  out_.reserve(kHead + sizeof(std::uint64_t) + entries * 104);
  out_.resize(kHead);
  put(out_, static_cast<std::uint64_t>(entries));
}

void StatWriter::add(const StatEntry& entry) {
  const bool same_device = entry.device == device_before_;
  put(out_, static_cast<std::uint8_t>(static_cast<std::uint8_t>(entry.type) | (entry.racy ? kRacy : 0) |
                                      (same_device ? kSameDevice : 0)));
  const std::size_t head = common_head(entry.path, path_before_);
  put(out_, static_cast<std::uint32_t>(head));
  put_text(out_, entry.path.substr(head));
  put(out_, entry.mode);
  if (!same_device) put(out_, entry.device);
  put(out_, entry.inode);
  put(out_, entry.size);
  put(out_, entry.mtime_ns);
  put(out_, entry.ctime_ns);
  if (entry.type == graph::EntryType::kFile) {
    put(out_, entry.change.high);
    put(out_, entry.change.low);
    out_.append(reinterpret_cast<const char*>(entry.digest.bytes.data()), entry.digest.bytes.size());
  } else if (entry.type == graph::EntryType::kSymlink) {
    put_text(out_, entry.target);
  }
  path_before_.replace(head, std::string::npos, entry.path.substr(head));
  device_before_ = entry.device;
}

std::string StatWriter::finish() && {
  const graph::ChangeDigest sum = graph::checksum(std::string_view(out_).substr(kHead));
  std::memcpy(out_.data() + kVersion.size(), &sum.high, sizeof sum.high);
  std::memcpy(out_.data() + kVersion.size() + sizeof sum.high, &sum.low, sizeof sum.low);
  return std::move(out_);
}

std::string serialize(const StatManifest& manifest) {
  StatWriter writer(manifest.entries.size());
  for (const StatEntry& entry : manifest.entries) writer.add(entry);
  return std::move(writer).finish();
}

std::optional<StatManifest> parse_stat_manifest(std::string_view bytes) {
  if (!bytes.starts_with(kVersion)) return std::nullopt;
  Reader head(bytes.substr(kVersion.size()));
  graph::ChangeDigest sum;
  sum.high = head.take<std::uint64_t>();
  sum.low = head.take<std::uint64_t>();
  if (!head.good() || graph::checksum(head.rest()) != sum) return std::nullopt;

  Reader in(head.rest());
  const auto count = in.take<std::uint64_t>();
  if (!in.good() || count > in.rest().size() / kSmallestEntry) return std::nullopt;
  StatManifest manifest;
  manifest.entries.resize(count);
  const StatEntry none;
  const StatEntry* before = &none;
  for (StatEntry& entry : manifest.entries) {
    take_entry(in, entry, *before, manifest.texts);
    if (!in.good() || entry.path <= before->path) return std::nullopt;
    before = &entry;
  }
  if (!in.rest().empty()) return std::nullopt;
  return manifest;
}

}  // namespace otto::cache
