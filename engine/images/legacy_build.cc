// scripts/legacy.sh builds it. The context's tar has two entries of otto's: the Dockerfile, and an ignore file that
// hides both from COPY. The engine reads that file for these two names only, so a context's own ignore file travels
// inside of it.
#include "engine/images/legacy_build.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "engine/images/dockerfile.h"
#include "engine/images/dockerfile_lines.h"
#include "engine/images/dockerfile_words.h"
#include "engine/images/pins.h"
#include "engine/workspace/names.h"
#include "graph/base/text.h"

namespace otto::images {

namespace {

/// A replacement of [begin, end) of the text.
struct Edit {
  std::size_t begin = 0, end = 0;
  std::string text;
};

constexpr std::array<std::string_view, 9> kBuildKitFlags = {"--mount",   "--network",      "--security",
                                                            "--link",    "--chmod",        "--checksum",
                                                            "--parents", "--keep-git-dir", "--exclude"};

bool mentions(std::string_view word, std::string_view variable) {
  for (const std::string_view dollar : {"$", "${"}) {
    const std::string spelled = std::string(dollar) + std::string(variable);
    const std::size_t at = word.find(spelled);
    if (at == std::string_view::npos) continue;
    const std::string_view rest = word.substr(at + spelled.size());
    if (rest.empty() || (std::isalnum(static_cast<unsigned char>(rest.front())) == 0 && rest.front() != '_'))
      return true;
  }
  return false;
}

class LegacyReader {
 public:
  explicit LegacyReader(const BuildRequest& request) : request_(request) {}

  Result<std::string> operator()() {
    OTTO_RETURN_IF_ERROR(check_syntax());
    OTTO_TRY(const DockerfileLines file, read_dockerfile_lines(request_.dockerfile, name()));
    OTTO_TRY(const Dockerfile parsed,
             parse_dockerfile(request_.dockerfile, name(), request_.build_args, request_.target, request_.triggered));
    std::size_t stage = 0;
    bool begun = false;
    for (const LogicalLine& line : file.lines) {
      const std::vector<Word> words = split_words(line.text, file.escape);
      const std::string command = text::to_lower(words.front().text);
      if (command == "from") {
        if (begun) ++stage;
        begun = true;
      }
      if (begun && !parsed.needed[stage]) {
        empty_out(line, words, command);
        continue;
      }
      OTTO_RETURN_IF_ERROR(check(line, words, command));
    }
    for (const ImageReference& reference : parsed.references) pin(reference);
    return apply();
  }

 private:
  [[nodiscard]] std::string name() const {
    return request_.dockerfile_name.empty() ? "Dockerfile" : request_.dockerfile_name;
  }

  [[nodiscard]] Error unsupported(unsigned line, const std::string& what) const {
    return make_error(
        ErrorCode::kUnsupported,
        fmt::format("{}:{}: {} needs BuildKit, and the parent has only Docker's legacy builder", name(), line, what),
        "install the package docker-buildx (or docker-buildx-plugin) there, or do without it");
  }

  /// A frontend of its own may mean anything; Docker's adds only what check() finds.
  Result<void> check_syntax() const {
    const std::string first = request_.dockerfile.substr(0, request_.dockerfile.find('\n'));
    std::string_view rest = text::trim(first);
    if (!rest.starts_with('#')) return {};
    rest = text::trim(rest.substr(1));
    if (!text::to_lower(rest).starts_with("syntax")) return {};
    rest = text::trim(rest.substr(6));
    if (!rest.starts_with('=')) return {};
    rest = text::trim(rest.substr(1));
    if (workspace::parse_reference(rest).repository == "docker/dockerfile") return {};
    return unsupported(1, fmt::format("the frontend '{}'", text::printable(rest)));
  }

  Result<void> check(const LogicalLine& line, const std::vector<Word>& words, const std::string& command) const {
    if (command == "arg" || command == "from") return check_platform_args(line, words, command);
    if (command != "run" && command != "copy" && command != "add") return {};
    if (line.heredoc) return unsupported(line.line, "a here-document");
    for (std::size_t i = 1; i < words.size() && words[i].text.starts_with("--"); ++i) {
      const std::string flag = text::to_lower(words[i].text.substr(0, words[i].text.find('=')));
      if (std::find(kBuildKitFlags.begin(), kBuildKitFlags.end(), flag) != kBuildKitFlags.end()) {
        return unsupported(line.line, fmt::format("'{} {}'", command, flag));
      }
    }
    return {};
  }

  /// The legacy builder leaves TARGETARCH and its like empty.
  Result<void> check_platform_args(const LogicalLine& line, const std::vector<Word>& words,
                                   const std::string& command) const {
    for (const std::string_view arg : kPlatformArgs) {
      if (request_.build_args.contains(std::string(arg))) continue;
      for (std::size_t i = 1; i < words.size(); ++i) {
        const std::string_view word = words[i].text;
        const bool used = command == "arg" ? word.substr(0, word.find('=')) == arg : mentions(word, arg);
        if (used) return unsupported(line.line, fmt::format("the build arg {}", arg));
      }
    }
    return {};
  }

  void empty_out(const LogicalLine& line, const std::vector<Word>& words, const std::string& command) {
    if (command != "from") {
      edits_.push_back({line.origin.front(), line.end, ""});
      return;
    }
    std::size_t image = 1;
    while (image < words.size() && words[image].text.starts_with("--")) ++image;
    const Word& last = words[image];
    edits_.push_back({line.origin[words[1].begin], line.origin[last.begin + last.text.size() - 1] + 1, "scratch"});
  }

  void pin(const ImageReference& reference) {
    const std::string* tag = pin_of(request_, reference.name);
    if (tag != nullptr) edits_.push_back({reference.begin, reference.end, *tag});
  }

  std::string apply() {
    std::sort(edits_.begin(), edits_.end(), [](const Edit& a, const Edit& b) { return a.begin > b.begin; });
    std::string text = request_.dockerfile;
    for (const Edit& edit : edits_) text.replace(edit.begin, edit.end - edit.begin, edit.text);
    return text;
  }

  const BuildRequest& request_;
  std::vector<Edit> edits_;
};

}  // namespace

Result<std::string> legacy_dockerfile(const BuildRequest& request) { return LegacyReader(request)(); }

}  // namespace otto::images
