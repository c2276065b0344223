#include "cli/command_line/options.h"

#include "cli/command_line/definition.h"

namespace otto::cli {

void define_global_options(Definition& definition, GlobalOptions& options, bool draws) {
  definition.group("Global options");
  definition.text("-l,--lab", "NAME[,NAME]", options.lab,
                  "the labs to work in; else OTTO_LAB, else default_lab in settings.toml, else the only lab there is");
  definition.text("--repo", "NAME", options.repo, "only the repo of this name; else every repo that is found");
  definition.text_list("--repo-dir", "DIR", options.repo_dirs,
                       "a repo's directory, may be repeated; else OTTO_SUT_DIRS, else the working directory or the "
                       "nearest one above it that has .otto/settings.toml");
  definition.flag("-n,--dry-run", options.dry_run, "show what would be done, change nothing");
  definition.count("-v,--verbose", options.verbose, "more detail: build output, full file lists, full hashes");
  definition.flag("-q,--quiet", options.quiet, "no progress and, on standard output, only tags, ids or paths");
  std::vector<std::string> formats = {"text", "json"};
  if (draws) formats.emplace_back("dot");
  definition.choice("--format", std::move(formats), options.format, "how results are written to standard output");
  definition.choice("--progress", {"auto", "tty", "plain", "json", "quiet"}, options.progress,
                    "how progress is shown on standard error; auto: tty on a terminal, else plain, or quiet for host "
                    "commands");
  definition.choice("--color", {"auto", "always", "never"}, options.color,
                    "colour; auto: on a terminal, unless NO_COLOR is set or CLICOLOR is 0");
  definition.flag("--no-input", options.no_input,
                  "never ask for a password or passphrase, and give remote commands no standard input");
  definition.flag("--list-labs", options.list_labs, "list the labs and exit");
  definition.flag("--list-hosts", options.list_hosts,
                  "list the lab's machines and containers and exit; reads the memo, contacts nothing");
  definition.flag("--show-lab", options.show_lab, "show the chosen lab and its machines and exit");
  definition.flag("--version", options.version, "print the version and exit");
  definition.conflict("-v", "-q");
}

}  // namespace otto::cli
