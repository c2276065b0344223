// `otto host ID put` and `otto host ID get`: files and trees to and from a machine or a container.
#include <array>

#include "cli/command_line/definition.h"
#include "cli/command_line/exit_code.h"
#include "cli/command_line/verb.h"
#include "cli/render/json.h"
#include "cli/verbs/host_verb.h"
#include "cli/verbs/invocation.h"
#include "graph/base/text.h"
#include "otto/host.h"

namespace otto::cli {
namespace {

class HostTransfer : public HostVerb {
 public:
  void define(Definition& definition) override {
    define_id(definition);
    definition.operands("SRC", paths_, source_help() + "; the last operand is DEST: " + dest_help());
    define_way(definition);
  }

  Result<int> run(Invocation& invocation) override {
    if (paths_.size() < 2) {
      return make_error(ErrorCode::kUsage, paths_.empty() ? "SRC and DEST are missing" : "DEST is missing",
                        "see 'otto host ID put -h'");
    }
    const std::string dest = paths_.back();
    paths_.pop_back();
    OTTO_TRY(const Opened opened, open(invocation));
    if (invocation.options().dry_run) {
      invocation.print(json::planned_transfer(invocation.target(), paths_, dest),
                       planned(invocation.target(), paths_, dest));
      return kExitDone;
    }
    OTTO_TRY(const TransferReport report, move(*opened.host, paths_, dest, {invocation.stop()}));
    if (invocation.json()) invocation.print_json(json::transfer(opened.host->id(), report));
    return kExitDone;
  }

 protected:
  [[nodiscard]] virtual std::string source_help() const = 0;
  [[nodiscard]] virtual std::string dest_help() const = 0;
  [[nodiscard]] virtual std::string planned(const std::string& id, const std::vector<std::string>& sources,
                                            const std::string& dest) const = 0;
  virtual Result<TransferReport> move(Host& host, const std::vector<std::string>& sources, const std::string& dest,
                                      const TransferOptions& options) = 0;

 private:
  std::vector<std::string> paths_;
};

class HostPut : public HostTransfer {
 protected:
  [[nodiscard]] std::string source_help() const override { return "files and directories of this machine"; }
  [[nodiscard]] std::string dest_help() const override {
    return "where on the host: a directory if it exists as one, ends in '/' or there are several SRC, else the copy's "
           "own name; relative to the home directory, or to a container's working directory";
  }
  [[nodiscard]] std::string planned(const std::string& id, const std::vector<std::string>& sources,
                                    const std::string& dest) const override {
    return "would put " + text::join(sources, ", ") + " to " + id + ":" + dest + "\n";
  }
  Result<TransferReport> move(Host& host, const std::vector<std::string>& sources, const std::string& dest,
                              const TransferOptions& options) override {
    return host.put(sources, dest, options);
  }
};

class HostGet : public HostTransfer {
 protected:
  [[nodiscard]] std::string source_help() const override {
    return "files and directories of the host, taken word for word: no patterns";
  }
  [[nodiscard]] std::string dest_help() const override {
    return "where on this machine: a directory if it exists as one, ends in '/' or there are several SRC, else the "
           "copy's own name";
  }
  [[nodiscard]] std::string planned(const std::string& id, const std::vector<std::string>& sources,
                                    const std::string& dest) const override {
    return "would get " + text::join(sources, ", ") + " from " + id + " to " + dest + "\n";
  }
  Result<TransferReport> move(Host& host, const std::vector<std::string>& sources, const std::string& dest,
                              const TransferOptions& options) override {
    return host.get(sources, dest, options);
  }
};

constexpr std::array<Example, 4> kPutExamples = {{
    {"otto host pepper_seed put firmware.bin /srv/tftp/", "one file, under its own name"},
    {"otto host pepper_seed.repo1.api put ./site /srv/www", "a tree into a running container"},
    {"otto host pepper_seed put a.txt b.txt notes/", "several files; notes is made if it is not there"},
    {"otto host pepper_seed put site/. /srv/www", "what is in site, not site itself"},
}};

constexpr std::array<Example, 3> kGetExamples = {{
    {"otto host pepper_seed.repo1.api get /etc/os-release ./", "one file; a link named as SRC is followed"},
    {"otto host pepper_seed get /var/log logs", "a tree, as logs"},
    {"otto host --hop gate pepper_seed get core.1 core.2 dumps/", "through another host first"},
}};

}  // namespace

constinit const VerbInfo kHostPut = {
    "host ID put",
    "SRC... DEST",
    "copy files and directories to a host",
    "Copies files and whole directories. Permission bits and symbolic links are kept; owners and times are those of a "
    "new file. A symbolic link named as SRC is followed. A directory that is there is merged into: files of the same "
    "name are replaced, others stay.\n\n"
    "Everything is collected beside its place and renamed when it is whole: a transfer that is cut or interrupted "
    "leaves nothing under a final name. A device or FIFO is written to, and never replaced. Into a container without a "
    "shell the engine writes in place, so only there a "
    "part may be left. No copy is made on a container's parent.",
    kPutExamples,
    "",
    []() -> std::unique_ptr<Verb> { return std::make_unique<HostPut>(); },
};

constinit const VerbInfo kHostGet = {
    "host ID get",
    "SRC... DEST",
    "copy files and directories from a host",
    "Copies files and whole directories, by the same rules as put. Nothing is written outside of DEST, whatever the "
    "host sends. Where some files cannot be read on the host, the others arrive, the failed ones are named, and the "
    "exit code is 1.",
    kGetExamples,
    "",
    []() -> std::unique_ptr<Verb> { return std::make_unique<HostGet>(); },
};

}  // namespace otto::cli
