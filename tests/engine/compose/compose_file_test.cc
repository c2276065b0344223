// What compose files take from this machine: services, staged paths and their layout, variables, refusals.
#include "engine/compose/compose_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "engine/compose/stage_layout.h"
#include "graph/base/text.h"

namespace otto::compose {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

class ComposeFileTest : public ::testing::Test {
 protected:
  ComposeFileTest() {
    std::string pattern = (fs::temp_directory_path() / "otto-compose-XXXXXX").string();
    OTTO_CHECK(mkdtemp(pattern.data()) != nullptr);
    top_ = fs::canonical(pattern);
    root_ = top_ / "repo";
    fs::create_directories(root_);
    env_["HOME"] = (top_ / "home").string();
  }
  ~ComposeFileTest() override {
    std::error_code ignored;
    fs::remove_all(top_, ignored);
  }

  fs::path write(const fs::path& relative, std::string_view text) const {
    const fs::path path = root_ / relative;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  Result<ComposeInputs> read(const std::vector<fs::path>& files) const {
    return read_compose_files(root_, files, "the-project", [this](const char* name) -> const char* {
      const auto known = env_.find(name);
      return known == env_.end() ? nullptr : known->second.c_str();
    });
  }
  Result<ComposeInputs> read_text(std::string_view text) const { return read({write("compose.yml", text)}); }

  /// The staged paths without the compose file: "conf/x(bind,optional)", or "error: …" with $TOP for the directory.
  Names staged(const Result<ComposeInputs>& inputs) const {
    if (!inputs) return {"error: " + shown(inputs.error().message)};
    Names all;
    for (std::size_t i = 1; i < inputs->paths.size(); ++i) {
      const StagedPath& path = inputs->paths[i];
      std::string flags = std::string(path.bind_mount ? "bind" : "") + (path.bind_mount && !path.required ? "," : "") +
                          (path.required ? "" : "optional");
      all.push_back(path.staged + (flags.empty() ? "" : "(" + flags + ")"));
    }
    std::sort(all.begin(), all.end());
    return all;
  }
  Names staged(std::string_view text) const { return staged(read_text(text)); }

  std::string shown(std::string text) const {
    for (std::size_t at; (at = text.find(top_.string())) != std::string::npos;) {
      text.replace(at, top_.string().size(), "$TOP");
    }
    return text;
  }

  std::string error(const Result<ComposeInputs>& inputs) const {
    if (inputs) return "no error";
    EXPECT_EQ(inputs.error().code, ErrorCode::kConfig);
    return shown(inputs.error().message);
  }

  fs::path top_, root_;
  std::map<std::string, std::string> env_;
};

TEST_F(ComposeFileTest, ServicesAreListedSorted) {
  const auto inputs = read_text("services:\n  web: {image: 'nginx:${V:-1}'}\n  api:\n    build: .\n");
  ASSERT_TRUE(inputs.ok());
  ASSERT_EQ(inputs->services.size(), 2U);
  EXPECT_EQ(inputs->services[0].name, "api");
  EXPECT_EQ(inputs->services[0].image, "");
  EXPECT_TRUE(inputs->services[0].build);
  EXPECT_EQ(inputs->services[0].line, 3U);
  EXPECT_EQ(inputs->services[1].image, "nginx:${V:-1}");
  EXPECT_FALSE(inputs->services[1].build);
  EXPECT_EQ(inputs->files, Names{"compose.yml"});
  EXPECT_EQ(inputs->project_directory, ".");
  EXPECT_EQ(inputs->paths.at(0).staged, "compose.yml");
  EXPECT_EQ(inputs->paths.at(0).local, root_ / "compose.yml");
}

TEST_F(ComposeFileTest, EnvFilesInEverySpelling) {
  for (const char* name : {"a.env", "b.env", "env/c.env", "l.txt"}) write(name, "A=1\n");
  EXPECT_EQ(staged("services: {a: {env_file: a.env}}"), Names{"a.env"});
  EXPECT_EQ(staged("services: {a: {env_file: [./a.env, env/../b.env, a.env], label_file: l.txt}}"),
            (Names{"a.env", "b.env", "l.txt"}));
  EXPECT_EQ(staged("services: {a: {env_file: [{path: env/c.env}, {path: none.env, required: false}, /etc/x.env]}}"),
            (Names{"env/c.env", "none.env(optional)"}));
  EXPECT_EQ(staged("services: {a: {env_file: [{path: a.env, required: false}, a.env]}}"), Names{"a.env"});
  EXPECT_EQ(staged("services:\n  a:\n    env_file: none.env\n"),
            Names{"error: $TOP/repo/compose.yml:3:15: env_file '$TOP/repo/none.env' does not exist"});
}

TEST_F(ComposeFileTest, SeccompProfilesBelongToTheProjectsDirectory) {
  for (const char* name : {"a.json", "conf/b.json", "conf/more.yml"})
    write(name, "services: {b: {security_opt: ['seccomp:conf/b.json']}}");
  EXPECT_EQ(staged("include: [conf/more.yml]\n"
                   "services: {a: {security_opt: [no-new-privileges:true, 'seccomp=./a.json', seccomp=unconfined,\n"
                   "  seccomp:/etc/c.json, label=disable, seccomp, apparmor=x]}}"),
            (Names{"a.json", "conf/b.json", "conf/more.yml"}));
  EXPECT_EQ(staged("services:\n  a: {security_opt: ['seccomp=none.json']}\n"),
            Names{"error: $TOP/repo/compose.yml:2:22: seccomp profile '$TOP/repo/none.json' does not exist"});
}

TEST_F(ComposeFileTest, BindMountsShortAndLong) {
  write("conf/x", "");
  write("rel/y", "");
  EXPECT_EQ(
      staged(
          "services: {a: {volumes: ['./conf:/c:ro', 'data:/d', '/abs:/e', '/anonymous', '.:/all', './missing:/m']}}"),
      (Names{".(bind,optional)", "conf(bind,optional)", "missing(bind,optional)"}));
  EXPECT_EQ(
      staged("services: {a: {volumes: [{type: bind, source: rel, target: /r}, {type: volume, source: conf, target: /c},"
             " {type: bind, source: /abs, target: /x}, {type: bind, source: ./new, target: /n, bind: "
             "{create_host_path: true}}]}}"),
      (Names{"new(bind,optional)", "rel(bind)"}));
  EXPECT_EQ(staged("services:\n  a:\n    volumes:\n    - {type: bind, source: ./gone, target: /g}\n"),
            Names{"error: $TOP/repo/compose.yml:4:28: bind mount source '$TOP/repo/gone' does not exist"});
  EXPECT_EQ(staged("services: {a: {volumes: ['v:/v', {type: volume, source: n, target: /n}]}}\n"
                   "volumes: {v: {driver_opts: {type: none, o: 'rw,bind', device: ./rel}}, w: {}, n: "
                   "{driver_opts: {o: addr, device: ./x}}}"),
            Names{"rel(bind)"});
}

TEST_F(ComposeFileTest, ConfigsAndSecretsThatAreFiles) {
  write("s/token", "");
  EXPECT_EQ(staged("services: {x: {secrets: [a]}}\nsecrets: {a: {file: s/token}, b: {environment: TOKEN}, c: "
                   "{external: true}, d: null}\n"
                   "configs: {m: {content: 'x ${IN}'}}\n"),
            Names{"s/token"});
  EXPECT_EQ(
      read_text("services: {}\nsecrets: {b: {environment: TOKEN}}\nconfigs: {m: {content: 'x ${IN}'}}")->variables,
      (Names{"IN", "TOKEN"}));
  EXPECT_EQ(staged("services: {x: {secrets: [a]}}\nsecrets:\n  a:\n    file: no\n"),
            Names{"error: $TOP/repo/compose.yml:4:11: secret file '$TOP/repo/no' does not exist"});
}

TEST_F(ComposeFileTest, MergeKeysAreFollowed) {
  write("a.env", "");
  write("b.env", "");
  const auto inputs = read_text(
      "x-a: &a {image: one, env_file: a.env}\nx-b: &b {image: two, volumes: ['./v:/v'], <<: *a}\n"
      "services:\n  s: {<<: *b, env_file: b.env}\n  t: {<<: [*a, *b]}\n  u: {image: own, <<: *a}\n");
  ASSERT_TRUE(inputs.ok());
  EXPECT_EQ(inputs->services[0].image, "two");
  EXPECT_EQ(inputs->services[1].image, "one");
  EXPECT_EQ(inputs->services[2].image, "own");
  EXPECT_EQ(staged(inputs), (Names{"a.env", "b.env", "v(bind,optional)"}));
}

TEST_F(ComposeFileTest, LayoutKeepsRelativePathsInsideTheRepo) {
  write("shared/x.env", "");
  const auto inputs = read({write("docker/dev/compose.yml", "services: {a: {env_file: ../../shared/x.env}}")});
  ASSERT_TRUE(inputs.ok());
  EXPECT_EQ(inputs->files, Names{"docker/dev/compose.yml"});
  EXPECT_EQ(inputs->project_directory, "docker/dev");
  EXPECT_EQ(staged(inputs), Names{"shared/x.env"});
}

TEST_F(ComposeFileTest, WhatLiesOutsideTheRepoIsStagedAboveAndMovesNothingElse) {
  write("../common/c/x.env", "");
  write("in.env", "");
  const auto inputs =
      read({write("docker/compose.yml", "services: {a: {env_file: [../../common/c/x.env, ../in.env]}}")});
  ASSERT_TRUE(inputs.ok());
  const std::string up = "/.up/.up/.up/.up/.up/.up/.up/.up/.up/.up/.up/.up/.up/.up/.up/.up";
  EXPECT_EQ(inputs->tree_link, "above" + up + "/.tree");
  EXPECT_EQ(inputs->files, Names{"../above" + up + "/.tree/docker/compose.yml"});
  EXPECT_EQ(inputs->project_directory, "../above" + up + "/.tree/docker");
  EXPECT_EQ(staged(inputs), (Names{"../above" + up + "/common/c/x.env", "in.env"}));
  EXPECT_EQ(inputs->links, (std::map<std::string, std::string>{{"../above" + up + "/repo", ".tree"}}));
  const auto without = read({write("docker/compose.yml", "services: {a: {env_file: [../in.env]}}")});
  EXPECT_EQ(staged(without), Names{"in.env"});
  EXPECT_EQ(without->files, Names{"docker/compose.yml"});
  EXPECT_EQ(without->tree_link, "") << "nothing needs it";
  EXPECT_TRUE(without->links.empty());
}

TEST_F(ComposeFileTest, EveryPathMeansTheSameBelowTheLink) {
  const auto inputs = read_text(
      "services: {a: {volumes: ['./d:/1', '../x:/2', '../../y/z:/3', '../repo/own:/4', '../../a b/../q:/5']}}");
  ASSERT_TRUE(inputs.ok());
  const fs::path project = fs::path("/stage/tree.1") / inputs->project_directory;
  const std::map<std::string, std::string> written = {
      {"d", "./d"}, {"x", "../x"}, {"z", "../../y/z"}, {"q", "../../a b/../q"}};
  for (const auto& path : inputs->paths) {
    const auto as_written = written.find(path.local.filename().string());
    if (as_written == written.end()) continue;
    const auto entered = (project / as_written->second).lexically_normal().string();
    const auto link = "/stage/" + inputs->tree_link;
    const auto lies = (fs::path("/stage/tree.1") / path.staged).lexically_normal().string();
    EXPECT_EQ(entered.starts_with(link) ? "/stage/tree.1" + entered.substr(link.size()) : entered, lies);
  }
  EXPECT_EQ(staged(inputs).back(), "own(bind,optional)");
}

TEST_F(ComposeFileTest, FilesOutsideTheRepoHaveALayoutToo) {
  write("../other/data/f", "");
  const auto inputs = read({write("../other/compose.yml", "services: {a: {volumes: ['./data:/d', '../repo/in:/i']}}")});
  ASSERT_TRUE(inputs.ok());
  EXPECT_TRUE(inputs->files.at(0).ends_with("/.up/other/compose.yml")) << inputs->files.at(0);
  EXPECT_TRUE(inputs->project_directory.ends_with("/.up/other"));
  EXPECT_TRUE(staged(inputs).at(0).ends_with("/.up/other/data(bind,optional)"));
  EXPECT_EQ(staged(inputs).at(1), "in(bind,optional)");
}

TEST_F(ComposeFileTest, APathMayNotClimbHigherThanThereIsRoom) {
  fs::path deep = root_;
  for (int at = 0; at < 17; ++at) deep /= "d";
  fs::create_directories(deep);
  const auto file = write(deep / "compose.yml",
                          "services: {a: {volumes: ['" + (top_ / "x").lexically_relative(deep).string() + ":/x']}}");
  const auto refused = read_compose_files(deep, {file}, "p");
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("18 directories above the repo"), std::string::npos)
      << refused.error().message;
}

// What an older otto staged: the nearest directory that held everything was the tree.
TEST_F(ComposeFileTest, AnOlderLayoutStays) {
  write("../common/x.env", "");
  write("data/f", "");
  const auto file =
      write("compose.yml", "services: {a: {env_file: ../common/x.env, volumes: ['./data:/d', '../../y:/y']}}");
  const auto manifest = [](std::vector<std::string> paths) {
    graph::ContextManifest held;
    for (auto& path : paths) held.entries.push_back({std::move(path), graph::EntryType::kFile, 0644, 0, 0, {}, {}});
    return held;
  };
  EXPECT_EQ(find_anchor(manifest({"compose.yml", "sub/compose.yml"}), root_, file), StageAnchor());
  EXPECT_EQ(find_anchor(manifest({"something"}), root_, file), StageAnchor());
  const auto anchor = find_anchor(manifest({"common/x.env", "repo/compose.yml"}), root_, file);
  EXPECT_EQ(anchor, (StageAnchor{root_, "repo"}));
  const auto inputs = read_compose_files(root_, {file}, "p", nullptr, anchor);
  ASSERT_TRUE(inputs.ok());
  const auto places = staged(inputs);
  EXPECT_EQ(std::vector(places.end() - 2, places.end()), (Names{"common/x.env", "repo/data(bind,optional)"}));
  EXPECT_TRUE(places.front().starts_with("../above/.up/")) << "that one lay nowhere yet";
  EXPECT_TRUE(inputs->project_directory.ends_with("/.tree/repo"));
  const auto outside = top_ / "other/compose.yml";
  EXPECT_EQ(find_anchor(manifest({"compose.yml", "data/f"}), root_, outside), (StageAnchor{top_ / "other", ""}));
}

TEST_F(ComposeFileTest, TheHomeHasADirectoryOfItsOwn) {
  write("../home/.cfg/x", "");
  write("_home", "");
  const auto inputs = read_text("services: {a: {volumes: ['~/.cfg:/c', '~:/h'], env_file: ['~/.cfg/x']}}");
  ASSERT_TRUE(inputs.ok());
  EXPECT_EQ(inputs->home_directory, "_home_") << "no name of the repo is taken";
  EXPECT_EQ(staged(inputs), (Names{"_home_(bind,optional)", "_home_/.cfg(bind,optional)", "_home_/.cfg/x"}));
  EXPECT_EQ(inputs->paths.at(1).local, top_ / "home/.cfg/x");
  EXPECT_EQ(read_text("services: {}")->home_directory, "");
  EXPECT_EQ(error(read_text("services: {a: {volumes: ['~/.cfg:/c'], user: '${HOME}'}}")),
            "$TOP/repo/compose.yml: the stack uses both '~' and ${HOME}, and Compose on the parent has one home");
}

TEST_F(ComposeFileTest, VariablesInPathsTakeTheirValues) {
  write(".env", "DIR=conf\nOTHER=x\n");
  env_["OTHER"] = "./over";
  EXPECT_EQ(staged("services: {a: {volumes: ['./${DIR}/y:/y', '${OTHER}:/o', '${ABS:-/abs:/x}', '${NAMED:-vol}:/n', "
                   "'./p:${UNSET}/t']}}"),
            (Names{"conf/y(bind,optional)", "over(bind,optional)", "p(bind,optional)"}));
  EXPECT_EQ(staged("services: {a: {volumes: ['./a$$b:/y']}}"), Names{"a$b(bind,optional)"});
  const auto unset = read_text("services:\n  a:\n    volumes: ['${NO_DIR}/y:/y']\n");
  EXPECT_EQ(error(unset),
            "$TOP/repo/compose.yml:3:15: bind mount '${NO_DIR}/y:/y' needs the variable 'NO_DIR', which is not set");
  EXPECT_EQ(unset.error().hint, "set NO_DIR in the environment or in .env, or write ${NO_DIR:-default}");
  EXPECT_EQ(error(read_text("services: {a: {env_file: '${NO_DIR}/y'}}")),
            "$TOP/repo/compose.yml:1:26: env_file '${NO_DIR}/y' needs the variable 'NO_DIR', which is not set");
  EXPECT_EQ(error(read_text("services: {a: {env_file: '${NO_DIR'}}")),
            "$TOP/repo/compose.yml:1:26: '${NO_DIR' is no valid interpolation");
  EXPECT_EQ(error(read_text("services: {a: {volumes: ['${X:?which}:/x']}}")),
            "$TOP/repo/compose.yml:1:26: required variable 'X' has no value: which");
}

TEST_F(ComposeFileTest, IncludesResolveAgainstTheirOwnDirectory) {
  write("inc/one/c.yml", "services: {one: {image: '${INC}', env_file: x.env, volumes: ['../d:/d']}}");
  write("inc/one/x.env", "");
  write("inc/one/.env", "INC=5\n");
  write("two.yml", "services: {two: {image: b}}");
  const auto inputs = read_text(
      "include: [inc/one/c.yml, ./two.yml, two.yml, 'https://example.org/c.git']\nservices: {a: {image: a}}\n");
  ASSERT_TRUE(inputs.ok());
  EXPECT_EQ(staged(inputs),
            (Names{"inc/d(bind,optional)", "inc/one/.env(optional)", "inc/one/c.yml", "inc/one/x.env", "two.yml"}));
  EXPECT_EQ(inputs->services.size(), 3U);
  EXPECT_EQ(inputs->variables, Names{"INC"});
  EXPECT_EQ(inputs->files, Names{"compose.yml"}) << "included files are not named to Compose";
}

TEST_F(ComposeFileTest, IncludesWithAMap) {
  write("inc/a.yml", "services: {s: {volumes: ['./${D}:/d']}}");
  write("inc/b.yml", "services: {s: {image: b}}");
  write("inc.env", "D=from-env-file\nX=${Y}\n");
  fs::create_directories(root_ / "pd");
  const auto inputs = read_text(
      "include:\n- path: [inc/a.yml, inc/b.yml]\n  project_directory: pd\n  env_file: [inc.env]\nservices: {}");
  ASSERT_TRUE(inputs.ok()) << inputs.error().message;
  EXPECT_EQ(staged(inputs), (Names{"inc.env", "inc/a.yml", "inc/b.yml", "pd/from-env-file(bind,optional)"}));
  EXPECT_EQ(inputs->services.size(), 1U) << "files of one include are merged";
  EXPECT_EQ(inputs->variables, (Names{"D", "Y"}));
  env_["D"] = "outer";
  EXPECT_EQ(staged(read({root_ / "compose.yml"})).back(), "pd/outer(bind,optional)") << "the environment wins";
}

TEST_F(ComposeFileTest, IncludesThatCannotBe) {
  EXPECT_EQ(error(read_text("include:\n  - gone.yml\n")),
            "$TOP/repo/compose.yml:2:5: included file '$TOP/repo/gone.yml' does not exist");
  EXPECT_EQ(error(read_text("include: [/abs.yml]")),
            "$TOP/repo/compose.yml:1:11: included file '/abs.yml' cannot be staged");
  write("again.yml", "include: [compose.yml]\nservices: {b: {image: b}}");
  EXPECT_EQ(error(read_text("include: [again.yml]\nservices: {a: {image: a}}")),
            "$TOP/repo/again.yml:1:11: '$TOP/repo/compose.yml' includes itself");
  write("broken.yml", "services: [");
  EXPECT_EQ(error(read_text("include: [broken.yml]")).find("$TOP/repo/broken.yml:1:"), 0U);
}

TEST_F(ComposeFileTest, ExtendsResolveAgainstTheFileTheyStandIn) {
  write("ext/e.yml",
        "services:\n  base: {image: '${E}', env_file: e.env, extends: deeper}\n  deeper: {volumes: ['../up:/u'], "
        "extends: {file: f.yml, service: f}}\n"
        "  unrelated: {env_file: none.env}\n");
  write("ext/f.yml", "services: {f: {volumes: ['./f:/f']}}");
  write("ext/e.env", "");
  const auto inputs =
      read_text("services:\n  a: {extends: {file: ext/e.yml, service: base}}\n  b: {extends: {service: a}}\n");
  EXPECT_EQ(staged(inputs),
            (Names{"ext/e.env", "ext/e.yml", "ext/f(bind,optional)", "ext/f.yml", "up(bind,optional)"}));
  EXPECT_EQ(inputs->variables, Names{"E"});
  EXPECT_EQ(inputs->services.size(), 2U);
  EXPECT_EQ(error(read_text("services:\n  a: {extends: b}\n  b: {extends: {service: a}}\n")),
            "$TOP/repo/compose.yml:3:16: service 'a' extends itself");
  auto wrong = read_text("services:\n  a: {extends: {file: ext/e.yml, service: bsae}}\n");
  EXPECT_EQ(
      error(wrong),
      "$TOP/repo/compose.yml:2:23: there is no service 'bsae' to extend in $TOP/repo/ext/e.yml … did you mean 'base'?");
}

TEST_F(ComposeFileTest, VariablesAreFoundWhereverComposeTakesThem) {
  write("a.env", "BARE\nP=${Q:-${R}}\nOWN=1\n");
  const auto inputs = read_text(
      "name: ${N}\nx-y: ['$X', \"${Y:-${Z}}\", '$$NOT']\nservices:\n  a:\n    env_file: a.env\n"
      "    environment: [FOO, BAR=1, 'B-D', '1X']\n    build: {context: ., args: {ARG: null, OTHER: 1}}\n"
      "  b: {environment: {BAZ: , QUX: '', '${KEY}': 1}}\n");
  ASSERT_TRUE(inputs.ok());
  EXPECT_EQ(inputs->variables, (Names{"ARG", "BARE", "BAZ", "FOO", "KEY", "N", "Q", "R", "X", "Y", "Z"}));
}

TEST_F(ComposeFileTest, WhatAServiceIsWrittenWithIsKnown) {
  write("a.env", "P=${FROM_FILE}\n");
  write("base.yml", "services: {base: {user: '${USER_ID}'}, other: {user: '${NOT_MINE}'}}\n");
  const auto inputs = read_text(
      "services:\n"
      "  a:\n    image: 'x:${TAG}'\n    build: {context: ., args: [ARG]}\n    env_file: a.env\n    init: true\n"
      "    environment: {PLAIN: '${VALUE}'}\n    labels: ['x.${NAME}=1']\n    command: [run, '${OPTION}']\n"
      "    extends: {file: base.yml, service: base}\n    x-mine: '${OWN}'\n"
      "  b: {environment: ['BARE', 'N=${V}'], extends: {file: 'https://x/y.yml', service: z}}\n");
  ASSERT_TRUE(inputs.ok()) << inputs.error().message;
  using Set = std::set<std::string>;
  const ComposeService::Sources& a = inputs->services[0].sources;
  EXPECT_EQ(a.variables, (Set{"FROM_FILE", "NAME", "OPTION", "USER_ID", "VALUE"}))
      << "none of the image's, none of Compose's own";
  EXPECT_EQ(a.interpolated, (Set{"command", "environment", "labels", "user"}));
  EXPECT_EQ(a.names_from_variables, (Set{"command", "labels"}));
  EXPECT_EQ(a.files, std::set<std::filesystem::path>{root_ / "a.env"});
  EXPECT_FALSE(a.partial);
  const ComposeService::Sources& b = inputs->services[1].sources;
  EXPECT_EQ(b.variables, (Set{"BARE", "V"}));
  EXPECT_EQ(b.names_from_variables, Set{});
  EXPECT_TRUE(b.partial) << "only the parent can read what it extends";
}

TEST_F(ComposeFileTest, SeveralFilesAreOneProject) {
  write("docker/x.env", "");
  write("docker/sub/x.env", "");
  const auto inputs = read({write("docker/a.yml", "services: {a: {env_file: x.env}}"),
                            write("docker/sub/b.yml", "services: {b: {env_file: x.env}}")});
  ASSERT_TRUE(inputs.ok());
  EXPECT_EQ(inputs->files, (Names{"docker/a.yml", "docker/sub/b.yml"}));
  EXPECT_EQ(inputs->project_directory, "docker");
  EXPECT_EQ(inputs->paths[1].staged, "docker/sub/b.yml") << "compose files come first";
  ASSERT_EQ(inputs->paths.size(), 3U);
  EXPECT_EQ(inputs->paths[2].staged, "docker/x.env") << "all resolve against the first file's directory";
}

TEST_F(ComposeFileTest, AServiceOfTwoFilesNamesBothPlaces) {
  const auto inputs =
      read({write("a.yml", "services:\n  api: {image: a}\n"), write("b.yml", "services:\n\n  api: {image: b}\n")});
  EXPECT_EQ(error(inputs), "$TOP/repo/b.yml:3:3: service 'api' is defined already at $TOP/repo/a.yml:2:3");
  write("b.yml", "include: [a.yml]\nservices:\n  api: {image: b}\n");
  EXPECT_EQ(error(read({root_ / "b.yml"})),
            "$TOP/repo/b.yml:3:3: service 'api' is defined already at $TOP/repo/a.yml:2:3");
}

TEST_F(ComposeFileTest, DocumentsOfOneFileAreMerged) {
  EXPECT_EQ(read_text("services: {a: {image: a}}\n---\nservices: {a: {image: b}, c: {image: c}}\n")->services.size(),
            2U);
}

TEST_F(ComposeFileTest, WhatIsNoComposeFileIsRefused) {
  EXPECT_EQ(error(read_text("services:\n  a: [1\n")).find("$TOP/repo/compose.yml:"), 0U);
  EXPECT_EQ(error(read_text(",")), "$TOP/repo/compose.yml:1:1: unexpected text") << "yaml-cpp would never end";
  EXPECT_EQ(read_text("services:\n  a: {}\n\tb: {}\n").error().hint, "YAML is indented with spaces, not with tabs");
  EXPECT_EQ(read_text("services:\n  a: [1\n").error().hint, "");
  EXPECT_EQ(error(read_text("")), "$TOP/repo/compose.yml:1:1: the compose file is empty");
  EXPECT_EQ(error(read_text("- a\n")), "$TOP/repo/compose.yml:1:1: not a compose file");
  EXPECT_EQ(error(read_text("services: [a]\n")), "$TOP/repo/compose.yml:1:11: 'services' is not a map");
  EXPECT_EQ(error(read_text("services:\n  a: text\n")), "$TOP/repo/compose.yml:2:3: service 'a' is not a map");
  EXPECT_EQ(error(read({root_ / "gone.yml"})), "compose file '$TOP/repo/gone.yml' does not exist");
  EXPECT_EQ(error(read({root_})), "compose file '$TOP/repo' cannot be read");
  EXPECT_EQ(error(read({})), "no compose file is given");
  write(".env", "A B=1");
  EXPECT_EQ(error(read_text("services: {}")), "$TOP/repo/.env:1: the variable name 'A B' holds a blank");
}

TEST_F(ComposeFileTest, AliasesCannotGrowTheDocument) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 40; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int j = 0; j < 8; ++j) bomb += ", " + before;
    bomb += "]\n";
  }
  EXPECT_NE(error(read_text(bomb + "services: {a: {image: x, command: *a39}}")).find("aliases repeat too much"),
            std::string::npos);
  EXPECT_EQ(error(read_text("services: {a: &a {image: x, <<: *a}}")),
            "$TOP/repo/compose.yml:1:33: the alias stands in what it means");
}

TEST_F(ComposeFileTest, EnvironmentWinsOverDotEnv) {
  write(".env", "A=file\nB=file\nC=${A}\nUNUSED=1\nCOMPOSE_PROJECT_NAME=other\n");
  env_["A"] = "environment";
  env_["E"] = "";
  const auto inputs = read_text("services: {a: {image: '$A$B$C$D$E$COMPOSE_PROJECT_NAME'}}");
  ASSERT_TRUE(inputs.ok());
  using Values = std::map<std::string, std::string>;
  EXPECT_EQ(inputs->environment, (Values{{"A", "environment"},
                                         {"B", "file"},
                                         {"C", "environment"},
                                         {"COMPOSE_PROJECT_NAME", "the-project"},
                                         {"E", ""}}));
  write(".env", "A=1\n=x");
  EXPECT_EQ(error(read_text("services: {}")), "$TOP/repo/.env:2: a variable's name is missing before '='");
}

TEST_F(ComposeFileTest, WhatIsIdleOrUnusedIsNotHeldToAccount) {
  write("there.env", "");
  const std::string text =
      "services:\n  web: {image: w, secrets: [used]}\n"
      "  dev: {profiles: [dev], image: d, env_file: [gone.env, there.env], volumes: ['${NO}/x:/y', {type: bind, "
      "source: "
      "./none, target: /n}], secrets: [own]}\n"
      "secrets: {used: {file: there.env}, own: {file: gone.txt}}\nconfigs: {u: {file: ./gone.txt}}\n"
      "volumes: {u: {driver_opts: {type: none, o: bind, device: ./gone}}}\n";
  EXPECT_EQ(staged(text), (Names{"gone(bind,optional)", "gone.env(optional)", "gone.txt(optional)",
                                 "none(bind,optional)", "there.env"}));
  EXPECT_FALSE(read_text(text)->services[1].idle);
  EXPECT_TRUE(read_text(text)->services[0].idle);
  env_["COMPOSE_PROFILES"] = "x,dev";
  EXPECT_NE(error(read_text(text)).find("gone.env' does not exist"), std::string::npos);
}

TEST_F(ComposeFileTest, ALaterFileResetsAndOverrides) {
  write("a.yml",
        "services: {web: {build: ./gone, env_file: [gone.env], volumes: ['./x:/x'], ports: [1]}, api: {image: a, "
        "volumes: ['./y:/y', './w:/w']}}\n");
  write("b.yml",
        "services:\n  web: {build: !reset null, image: b, env_file: !reset []}\n  api: {volumes: !override "
        "['./z:/z']}\n");
  const auto inputs = read_text("include:\n- path: [a.yml, b.yml]\n");
  EXPECT_EQ(staged(inputs), (Names{"a.yml", "b.yml", "x(bind,optional)", "z(bind,optional)"}));
  EXPECT_FALSE(inputs->services[1].build || inputs->services[1].build_trouble);
  const auto extended = read_text(
      "services:\n  base: {image: b, env_file: gone.env, volumes: ['./x:/x']}\n"
      "  own: {extends: base, env_file: !reset null, volumes: ['./y:/x']}\n  base2: {image: c}\n");
  EXPECT_EQ(error(extended), "$TOP/repo/compose.yml:2:30: env_file '$TOP/repo/gone.env' does not exist")
      << "the base itself still wants it";
}

TEST_F(ComposeFileTest, AFileThatIsReadAndMountedCountsAsRead) {
  write("app.env", "A=1\n");
  const auto inputs =
      read_text("services: {a: {env_file: app.env, volumes: ['./app.env:/e', './compose.yml:/c', './only:/o']}}\n");
  ASSERT_TRUE(inputs.ok());
  std::map<std::string, std::pair<bool, bool>> flags;
  for (const StagedPath& path : inputs->paths) flags[path.staged] = {path.bind_mount, path.read};
  EXPECT_EQ(flags, (std::map<std::string, std::pair<bool, bool>>{
                       {"app.env", {true, true}}, {"compose.yml", {true, true}}, {"only", {true, false}}}));
}

TEST_F(ComposeFileTest, VariablesOfWhatIsLaidOverAreSentToo) {
  write("prod.yml", "services: {base: {image: x}}\n");
  write("inc.yml", "services: {i: {image: i}}\n");
  env_ = {{"FILE", "prod.yml"}, {"NAME", "base"}, {"NEED", "n"}, {"INC", "inc.yml"}};
  const auto inputs = read_text(
      "include: ['${INC:-gone.yml}']\n"
      "services: {a: {extends: {file: '${FILE:-dev.yml}', service: '${NAME:-other}'}}, b: {image: 'x:${NEED:?must}'}}\n"
      "---\nservices: {b: {image: y}}\n");
  ASSERT_TRUE(inputs.ok()) << inputs.error().message;
  EXPECT_EQ(inputs->variables, (Names{"FILE", "INC", "NAME", "NEED"}));
  EXPECT_EQ(inputs->services[0].image, "x");
}

TEST_F(ComposeFileTest, EnvFilesOfOneNameInTwoFoldersAreTwo) {
  write("app.env", "");
  write("common/app.env", "");
  write("common/base.yml", "services: {base: {image: x, env_file: app.env}}\n");
  EXPECT_EQ(staged("services: {a: {extends: {file: common/base.yml, service: base}, env_file: app.env}}\n"),
            (Names{"app.env", "common/app.env", "common/base.yml"}));
}

TEST_F(ComposeFileTest, ProfilesAsComposeSplitsThem) {
  const std::string text =
      "services: {a: {image: x, profiles: [a]}, b: {image: x, profiles: [b]}, c: {image: x, profiles: ['${C-}']}}\n";
  const auto idle = [&] {
    std::string names;
    const auto inputs = read_text(text);
    for (const ComposeService& service : inputs->services) names += service.idle ? service.name : "";
    return names;
  };
  EXPECT_EQ(idle(), "ab") << "without COMPOSE_PROFILES the empty profile is on";
  env_["COMPOSE_PROFILES"] = "a, b";
  EXPECT_EQ(idle(), "c");
  env_["COMPOSE_PROFILES"] = "*";
  EXPECT_EQ(idle(), "");
}

TEST_F(ComposeFileTest, WhatIsTheSameMayBeIncludedTwice) {
  write("a/a.yml",
        "services: {r: {image: redis, volumes: ['v:/v'], environment: {path: x}}}\nnetworks: {p: {external: "
        "true}}\nvolumes: {v: {name: foo}}\n");
  write("b/b.yml",
        "services: {r: {image: redis, volumes: ['v:/v'], environment: {path: x}}}\nnetworks: {p: {external: "
        "true}}\nvolumes: {v: {name: foo}}\n");
  EXPECT_TRUE(read_text("include: [a/a.yml, b/b.yml]\nnetworks: {p: {external: true}}\n").ok());
  write("b/b.yml", "services: {r: {image: redis, env_file: x.env}}\n");
  write("a/a.yml", "services: {r: {image: redis, env_file: x.env}}\n");
  EXPECT_NE(error(read_text("include: [a/a.yml, b/b.yml]\n")).find("is defined already at"), std::string::npos)
      << "they are two files";
}

TEST_F(ComposeFileTest, TruthIsSpeltInManyWays) {
  for (const char* no : {"False", "no", "off", "'${R:-No}'"}) {
    EXPECT_TRUE(read_text(fmt::format("services: {{a: {{env_file: [{{path: gone.env, required: {}}}]}}}}\n", no)).ok())
        << no;
  }
  EXPECT_TRUE(*read_text("services: {a: {x-otto: {oneshot: Yes}}}\n")->services[0].oneshot);
}

TEST_F(ComposeFileTest, KeysAreTextAndStandOnce) {
  EXPECT_EQ(error(read_text("services:\n  a: {image: x}\n  a: {image: y}\n")),
            "$TOP/repo/compose.yml:3:3: the key 'a' is there already, at line 2");
  EXPECT_EQ(error(read_text("services: {a: {environment: {1: x}}}\n")),
            "$TOP/repo/compose.yml:1:30: a key that is no text ('1')");
  EXPECT_EQ(read_text("services: {a: {image: x, image: y}}\n").error().hint, "take one of the two out");
  EXPECT_NE(read_text("services: {a: *b}\n").error().hint.find("&NAME"), std::string::npos);
  EXPECT_EQ(read_text("services: {web: {extends: webb}}\n").error().hint, "it has no other service");
  EXPECT_TRUE(read_text("services: {a: {environment: {'1': x, on: y}}}\n").ok());
  EXPECT_NE(error(read_text("x-a: &a {b: 1}\nservices: {a: {<<: *a, <<: *a}}\n")).find("'<<' is there already"),
            std::string::npos);
}

}  // namespace
}  // namespace otto::compose
