// Strict reading of one table of a configuration document: known keys only, right types, nothing empty.
//
// A table's keys are declared once as FieldSpecs, each with an example; unknown keys, near-misses and the remedy in
// every hint come from that declaration. Getters return nullopt for an absent key (in JSON also for null). Must not
// know what a key is for. A Fields borrows its Source and Node.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/config/document.h"
#include "graph/base/result.h"

namespace otto::config {

struct FieldSpec {
  std::string_view key;
  std::string_view example;  ///< a value as both formats spell it
};

/// The scope of a document's own keys; messages about their values leave it out.
inline constexpr std::string_view kTopLevel = "at the top level";

enum class PathKind { kFile, kDirectory };

/// A string together with the place it stands at.
struct Located {
  std::string text;
  Position at;
};

class Fields {
 public:
  /// `scope` completes a sentence: "in [docker]", "at the top level". `table` need not be one: check() says so.
  Fields(const Source& source, const Node& table, std::string scope, std::span<const FieldSpec> specs);

  /// kConfig unless this is a table of known keys only.
  [[nodiscard]] Result<void> check() const;

  [[nodiscard]] const Member* find(std::string_view key) const;
  /// Where `key` stands, else where the table stands.
  [[nodiscard]] Position where(std::string_view key) const;
  [[nodiscard]] const Source& source() const { return source_; }

  Result<std::optional<std::string>> text(std::string_view key) const;
  Result<Located> required_text(std::string_view key) const;
  Result<std::optional<bool>> boolean(std::string_view key) const;
  /// A whole number within [least, most].
  Result<std::optional<std::int64_t>> integer(std::string_view key, std::int64_t least, std::int64_t most) const;
  /// A number of seconds within [least, most], in milliseconds.
  Result<std::optional<std::int64_t>> seconds(std::string_view key, double least, double most) const;
  /// An array of strings without duplicates.
  Result<std::optional<std::vector<Located>>> texts(std::string_view key) const;
  /// A command's words: an array of at least one string.
  Result<std::optional<std::vector<std::string>>> words(std::string_view key) const;
  /// One of `choices`' index, with the near-miss.
  Result<std::optional<std::size_t>> choice(std::string_view key, std::span<const std::string> choices) const;
  /// A table's node.
  Result<const Node*> table(std::string_view key) const;
  /// The items of an array of tables; empty where absent.
  Result<std::span<const Node>> tables(std::string_view key) const;

  /// The value of a string node after ${sutDir}: neither empty nor with NUL. `key` names it in errors.
  Result<std::string> text_of(std::string_view key, const Node& node) const;
  /// An absolute path that exists and is of that kind; the error names the nearest of its neighbours.
  Result<std::filesystem::path> required_path(std::string_view key, PathKind kind) const;
  /// An array of such paths, without duplicates.
  Result<std::vector<std::pair<std::filesystem::path, Position>>> paths(std::string_view key, PathKind kind) const;
  /// Paths of the user's own, as an array or a single one: ~ expanded, absolute, not looked for.
  Result<std::optional<std::vector<std::string>>> user_paths(std::string_view key) const;

  /// "'key' in [docker] <what>", with the remedy that the key's example gives.
  [[nodiscard]] Error error(std::string_view key, Position at, std::string_view what) const;
  [[nodiscard]] Error error(std::string_view key, Position at, std::string_view what, std::string hint) const;
  /// "write key = example", as the format spells it.
  [[nodiscard]] std::string remedy(std::string_view key, std::string_view verb = "write") const;

 private:
  [[nodiscard]] Error wrong_type(std::string_view key, const Node& node, std::string_view wanted) const;
  [[nodiscard]] Result<void> check_variables(std::string_view key, const Node& node) const;
  Result<std::filesystem::path> path_of(std::string_view key, const Node& node, PathKind kind) const;
  Result<std::string> user_path_of(std::string_view key, const Node& node) const;

  const Source& source_;
  const Node& table_;
  std::string scope_;
  std::span<const FieldSpec> specs_;
};

/// Values as a list for hints: "a, b, c".
std::string list_of(std::span<const std::string> words);

/// What keeps `word` from being a user or an address of a command line, a path or a message: empty where nothing does.
std::string unfit_for_argv(std::string_view word);

}  // namespace otto::config
