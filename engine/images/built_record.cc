#include "engine/images/built_record.h"

#include <fmt/format.h>

#include <charconv>

#include "engine/images/scripts.h"
#include "engine/stage/stage_manifest.h"
#include "graph/base/text.h"

namespace otto::images {

namespace {

constexpr std::size_t kMaxDockerfile = 64 * 1024;

std::string read_script(const parent::ParentFacts& facts, const std::vector<RecordQuery>& queries) {
  std::string script = fmt::format("otto_root={}\n{}", text::shell_quote(facts.stage_root), kReadRecordScript);
  for (const RecordQuery& query : queries) {
    script += fmt::format("otto_record {} {}\n", text::shell_quote(query.name), text::shell_quote(query.stage_key));
  }
  return script + "exit 0\n";
}

std::optional<std::string> from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    unsigned value = 0;
    const auto [end, failure] = std::from_chars(hex.data() + i, hex.data() + i + 2, value, 16);
    if (failure != std::errc() || end != hex.data() + i + 2) return std::nullopt;
    bytes += static_cast<char>(value);
  }
  return bytes;
}

std::string to_hex(std::string_view bytes) {
  return text::to_hex({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

void take_record(std::map<std::string, graph::BuiltFrom>& records, const std::string& name, std::string_view hex) {
  const auto bytes = from_hex(hex);
  auto fingerprint = bytes ? graph::parse_fingerprint(*bytes) : std::nullopt;
  if (fingerprint) records[name].fingerprint = std::move(*fingerprint);
}

/// The text names lines only if it is that of the recorded build.
void take_dockerfile(std::map<std::string, graph::BuiltFrom>& records, const std::string& name, std::string_view text) {
  const auto record = records.find(name);
  if (record == records.end()) return;
  const graph::Digest digest = graph::sha256(text);
  for (const graph::Component& component : record->second.fingerprint.components) {
    if (component.kind == graph::ComponentKind::kDockerfile && component.digest == digest)
      record->second.dockerfile = std::string(text);
  }
}

/// The stage's manifest names the files only while it is that of the recorded build.
void take_manifest(std::map<std::string, graph::BuiltFrom>& records, const std::string& name, std::string_view lines) {
  const auto record = records.find(name);
  auto manifest = stage::parse_manifest_lines(lines);
  if (record == records.end() || !manifest) return;
  const graph::Digest hash = manifest->hash();
  for (const graph::Component& component : record->second.fingerprint.components) {
    if (component.kind == graph::ComponentKind::kContext && component.digest == hash)
      record->second.context = std::move(*manifest);
  }
}

std::map<std::string, graph::BuiltFrom> read_records(std::string_view answer) {
  std::map<std::string, graph::BuiltFrom> records;
  while (!answer.empty()) {
    const std::string_view line = answer.substr(0, answer.find('\n'));
    answer.remove_prefix(std::min(answer.size(), line.size() + 1));
    const std::vector<std::string> words = text::split(line, ' ');
    if (words.size() != 3) break;
    if (words[0] == "record") take_record(records, words[1], words[2]);
    if (words[0] != "manifest" && words[0] != "dockerfile") continue;
    std::size_t bytes = 0;
    std::from_chars(words[2].data(), words[2].data() + words[2].size(), bytes);
    (words[0] == "manifest" ? take_manifest : take_dockerfile)(records, words[1], answer.substr(0, bytes));
    answer.remove_prefix(std::min(answer.size(), bytes));
  }
  return records;
}

}  // namespace

std::string record_name(std::string_view project, std::string_view image) {
  return text::to_lower(project) + "-" + std::string(image);
}

std::string keep_record_script(const parent::ParentFacts& facts, std::string_view name,
                               const graph::Fingerprint& fingerprint, std::string_view dockerfile) {
  const auto keep = [&](std::string_view directory, std::string_view content) {
    return fmt::format("otto_keep {} {} {}\n", directory, text::shell_quote(name), text::shell_quote(content));
  };
  std::string script = fmt::format("otto_root={}\n{}", text::shell_quote(facts.stage_root), kKeepRecordScript);
  script += keep("built", to_hex(graph::serialize(fingerprint)) + "\n");
  // Records are named PROJECT-IMAGE, so none is called "dockerfiles".
  const bool fits = dockerfile.size() <= kMaxDockerfile && dockerfile.find('\0') == std::string_view::npos;
  if (fits) script += keep("built/dockerfiles", dockerfile);
  return script;
}

Result<std::map<std::string, graph::BuiltFrom>> read_records(transport::Remote& remote,
                                                             const parent::ParentFacts& facts,
                                                             const std::vector<RecordQuery>& queries,
                                                             std::stop_token stop) {
  if (queries.empty()) return std::map<std::string, graph::BuiltFrom>();
  transport::Script script;
  script.text = read_script(facts, queries);
  script.stop = std::move(stop);
  OTTO_TRY(const transport::Output output, remote.run(script));
  return read_records(output.out);
}

}  // namespace otto::images
