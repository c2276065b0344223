// What a verb is to the command line: its place, its words for people, its options, and what it does.
//
// The table of verbs (all_verbs) is the whole command list: parsing, near-misses, help, reference and man page come
// from it. A verb decides nothing about Docker or hosts: it fills the façade's options, calls it, and renders the
// answer. Texts are compile-time constants, so that the table costs nothing at start.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/base/result.h"

namespace otto::cli {

class Definition;
class Invocation;

class Verb {
 public:
  virtual ~Verb() = default;
  /// Binds options and operands to the verb's own members.
  virtual void define(Definition& definition) = 0;
  /// Where the words after the verb go unparsed, from the first that is no option on (`otto host ID run CMD...`).
  virtual std::vector<std::string>* verbatim() { return nullptr; }
  /// Passes a remote command's own output on, so where progress is not live, `--progress auto` shows none.
  [[nodiscard]] virtual bool passes_output_on() const { return false; }
  /// Has a picture to give: `--format dot`.
  [[nodiscard]] virtual bool draws() const { return false; }
  /// The exit code where the verb could say it; an Error is rendered and mapped by the caller.
  virtual Result<int> run(Invocation& invocation) = 0;
  /// Of an error that run() returned.
  [[nodiscard]] virtual int exit_code_of(const Error& error) const;
};

struct Example {
  std::string_view command;
  std::string_view says;
};

struct VerbInfo {
  std::string_view path;         ///< "docker build"; a word in capitals stands for any word: "host ID run"
  std::string_view operands;     ///< for the synopsis: "[IMAGE...]"
  std::string_view summary;      ///< one line
  std::string_view description;  ///< paragraphs, separated by an empty line
  std::span<const Example> examples;
  std::string_view exit_codes;  ///< what differs from the table every verb shares; may be empty
  std::unique_ptr<Verb> (*make)();
};

extern const VerbInfo kDockerBuild, kDockerUp, kDockerDown, kDockerPs, kDockerContext, kDockerExplain, kDockerHistory,
    kDockerPrune, kGraph, kDoctor, kHostRun, kHostOneshot;
extern const VerbInfo kHostPut, kHostGet, kHostLogin;

std::span<const VerbInfo* const> all_verbs();

/// A group of verbs, for help: "docker", "host".
struct GroupInfo {
  std::string_view path;
  std::string_view summary;
};
std::span<const GroupInfo> all_groups();

}  // namespace otto::cli
