// `build:` sections as images: names, what counts, extended and merged sections, refusals, and errors that wait.
#include "engine/compose/compose_images.h"

#include <gtest/gtest.h>

#include "engine/images/own_images.h"
#include "tests/support/temp_tree.h"

namespace otto::compose {
namespace {

class ComposeImagesTest : public ::testing::Test {
 protected:
  ComposeImagesTest() {
    repo_.root = tree_.root();
    repo_.file = tree_.path(".otto/settings.toml");
    repo_.name = "repo1";
    tree_.write("api/Dockerfile", "FROM a\n");
    tree_.write("api/Other", "FROM b\n");
    tree_.write("db/Dockerfile", "FROM c\n");
  }

  config::Settings read(const std::string& text) {
    tree_.write("compose.yml", text);
    config::Settings repo = repo_;
    repo.composes.push_back({tree_.path("compose.yml"), "", {}, {}});
    add_compose_images(repo, [this](const char* name) -> const char* {
      const auto known = env_.find(name);
      return known == env_.end() ? nullptr : known->second.c_str();
    });
    return repo;
  }

  /// "api api/Dockerfile A=1 @target %platform", one image a line, or the error.
  std::string images(const std::string& text) {
    const config::Settings repo = read(text);
    if (repo.images_error) {
      EXPECT_TRUE(repo.images.size() == repo_.images.size());
      return "error: " + repo.images_error->message;
    }
    std::string all;
    for (const config::ImageSettings& image : repo.images) {
      if (image.trouble) return "error: " + image.trouble->message;
      all += image.name + " " + image.dockerfile.lexically_relative(image.context.parent_path()).string();
      for (const auto& [name, value] : image.build_args) all.append(" ").append(name).append("=").append(value);
      if (image.target) all += " @" + *image.target;
      if (image.platform) all += " %" + *image.platform;
      all += "\n";
    }
    return all;
  }

  otto::testing::TempTree tree_;
  config::Settings repo_;
  std::map<std::string, std::string> env_;
};

TEST_F(ComposeImagesTest, AreNamedAfterTheImageOrTheService) {
  EXPECT_EQ(images("services:\n"
                   "  Api: {build: ./api}\n"
                   "  b: {build: db, image: repo1-data}\n"
                   "  c: {build: {context: api, dockerfile: Other}, image: 'team/c:${V:-1}'}\n"
                   "  d: {image: plain}\n"),
            "api api/Dockerfile\ndata db/Dockerfile\nc api/Other\n");
}

TEST_F(ComposeImagesTest, AnotherReferenceMeansTheSameImage) {
  env_["V"] = "2";
  const config::Settings repo = read("services:\n  c: {build: api, image: 'team/c:${V:-1}'}\n");
  const images::OwnImages own(repo);
  ASSERT_NE(own.find("docker.io/team/c:2"), nullptr);
  EXPECT_EQ(*own.find("team/c:2"), "c");
  EXPECT_EQ(*own.find("repo1-c"), "c");
  EXPECT_EQ(own.find("team/c:1"), nullptr);
  EXPECT_EQ(own.find("team/c"), nullptr);
}

TEST_F(ComposeImagesTest, ArgsTargetAndPlatformCount) {
  env_ = {{"FROM_ENV", "here"}, {"N", "7"}};
  EXPECT_EQ(images("services:\n"
                   "  a:\n    build:\n      context: api\n      target: prod\n      platforms: [linux/arm64]\n"
                   "      args: {FROM_ENV: , MISSING: , N: '${N}', EMPTY: '${NOT_SET}', NUM: 1.10, YES: true}\n"
                   "      cache_from: [x]\n      pull: true\n"
                   "  b:\n    platform: linux/amd64\n    build: {context: db, args: [FROM_ENV, MISSING, 'K=a=b']}\n"),
            "a api/Dockerfile EMPTY= FROM_ENV=here N=7 NUM=1.1 YES=true @prod %linux/arm64\n"
            "b db/Dockerfile FROM_ENV=here K=a=b %linux/amd64\n");
}

TEST_F(ComposeImagesTest, ExtendedSectionsAreCompleted) {
  tree_.write("bases/base.yml", "services:\n  base: {build: {context: ../api, args: {A: base, B: base}, target: t}}\n");
  EXPECT_EQ(images("services:\n"
                   "  x: {extends: {file: bases/base.yml, service: base}, build: {dockerfile: Other, args: {A: own}}}\n"
                   "  y: {extends: x, build: {target: u}}\n"),
            "x api/Other A=own B=base @t\ny api/Other A=own B=base @u\n");
}

TEST_F(ComposeImagesTest, OfAnArgThatIsGivenTwiceTheLastCounts) {
  env_["HERE"] = "outside";
  EXPECT_EQ(images("services:\n  a: {build: {context: api, args: [V=1, W, V=2, X=1, X]}}\n"
                   "  b: {build: {context: db, args: [HERE=1, HERE]}}\n"),
            "a api/Dockerfile V=2\nb db/Dockerfile HERE=outside\n");
}

TEST_F(ComposeImagesTest, AnArgWithoutAValueTakesNoneFromWhatIsExtended) {
  EXPECT_EQ(images("services:\n"
                   "  base: {build: {context: api, args: {V: base, W: base, X: base}}}\n"
                   "  list: {extends: base, build: {args: [V]}}\n"
                   "  map: {extends: base, build: {args: {W: , X: ~}}}\n"),
            "base api/Dockerfile V=base W=base X=base\nlist api/Dockerfile W=base X=base\nmap api/Dockerfile V=base\n");
}

/// As `docker compose config` of Compose 2.26 has it.
TEST_F(ComposeImagesTest, FurtherOptionsOfTheBuildCount) {
  const config::Settings repo = read(
      "services:\n  base:\n    build: {context: api, labels: {a: base, b: 1.10, c: }, network: none, shm_size: 1_000,\n"
      "            extra_hosts: {db: 10.0.0.2}}\n"
      "  x:\n    extends: base\n    build:\n      labels: [a=own, d]\n"
      "      extra_hosts: ['web:10.0.0.3', 'v6=[::1]', 'db:10.0.0.4']\n"
      "      shm_size: 64m\n      network: ''\n      ulimits: {nproc: 65_535, nofile: {soft: 1, hard: 2}}\n");
  ASSERT_FALSE(repo.images_error) << repo.images_error->message;
  const auto options = [&](std::size_t index) {
    std::string all;
    for (const auto& [option, value] : repo.images.at(index).build_options) {
      all += option.first + "(" + option.second + ")=" + value + " ";
    }
    return all;
  };
  EXPECT_EQ(options(0), "add-host(db:10.0.0.2)= label(a)=base label(b)=1.1 label(c)= network()=none shm-size()=1000 ");
  EXPECT_EQ(options(1),
            "add-host(db:10.0.0.2)= add-host(db:10.0.0.4)= add-host(v6:::1)= add-host(web:10.0.0.3)= label(a)=own "
            "label(b)=1.1 label(c)= label(d)= shm-size()=64m ulimit(nofile)=1:2 ulimit(nproc)=65535 ");
  EXPECT_NE(
      images("services: {a: {build: {context: api, extra_hosts: [nohost]}}}\n").find("an extra host has no address"),
      std::string::npos);
}

TEST_F(ComposeImagesTest, SecretsHintsAndContextsAreTheBuildersAffair) {
  env_ = {{"TOKEN", "t"}};
  tree_.write("s.txt", "s");
  const config::Settings repo = read(
      "services:\n  a:\n    build:\n      context: api\n      secrets: [env, {source: file, target: id}]\n"
      "      cache_from: [x, y]\n      no_cache: true\n      pull: false\n      tags: [team/a:1]\n"
      "      additional_contexts: {base: 'docker-image://alpine', repo: 'https://example.org/x.git'}\n"
      "secrets: {env: {environment: TOKEN}, file: {file: ./s.txt}}\n");
  ASSERT_EQ(repo.images.size(), 1U);
  const config::ImageSettings& image = repo.images[0];
  ASSERT_FALSE(image.trouble) << image.trouble->message;
  EXPECT_EQ(image.build_secrets,
            (std::map<std::string, config::BuildSecret>{{"env", {{}, "t"}}, {"id", {tree_.path("s.txt"), ""}}}));
  EXPECT_EQ(image.build_hints, (std::vector<std::pair<std::string, std::string>>{
                                   {"cache-from", "x"}, {"cache-from", "y"}, {"no-cache", ""}}));
  EXPECT_EQ(image.build_options, (std::map<std::pair<std::string, std::string>, std::string>{
                                     {{"build-context", "base"}, "docker-image://alpine"},
                                     {{"build-context", "repo"}, "https://example.org/x.git"},
                                     {{"tag", "team/a:1"}, ""}}));
}

/// As `docker compose config` of Compose 2.26 has it.
TEST_F(ComposeImagesTest, ALaterDocumentCompletesAsAnExtendedSectionDoes) {
  const config::Settings repo = read(
      "services: {a: {build: {context: api, args: {A: base, V: base}, labels: {l: base, m: base}}}}\n---\n"
      "services: {a: {build: {args: [V], network: none, labels: {l: own}}}}\n");
  ASSERT_FALSE(repo.images_error) << repo.images_error->message;
  const config::ImageSettings& image = repo.images.at(0);
  EXPECT_EQ(image.build_args, (std::map<std::string, std::string>{{"A", "base"}}));
  EXPECT_EQ(image.build_options, (std::map<std::pair<std::string, std::string>, std::string>{
                                     {{"label", "l"}, "own"}, {{"label", "m"}, "base"}, {{"network", ""}, "none"}}));
}

/// As `docker compose config` of Compose 2.26 has it.
TEST_F(ComposeImagesTest, OfTheEnvFilesOfAnIncludeTheLastCounts) {
  env_ = {{"X", "outside"}};
  tree_.write("first.env", "V=first\nW=$V\nX=a\nQ=q\n");
  tree_.write("second.env", "V=second\nR=$V\nS=$W\nU=$X\nX=b\nT=$Q\n");
  tree_.write("inc/c.yml",
              "services: {s: {build: {context: ../api, args: {V: '${V}', W: '${W}', R: '${R}', S: '${S}', U: '${U}', "
              "X: '${X}', T: '${T}'}}}}\n");
  EXPECT_EQ(images("include: [{path: inc/c.yml, env_file: [first.env, second.env]}]\nservices: {}\n"),
            "s api/Dockerfile R=first S=first T=q U=outside V=second W=first X=outside\n");
}

TEST_F(ComposeImagesTest, OneImageForServicesThatBuildTheSame) {
  EXPECT_EQ(images("services:\n  a: {build: api, image: repo1-x}\n  b: {build: ./api, image: repo1-x}\n"),
            "x api/Dockerfile\n");
  const std::string two = images("services:\n  a: {build: api, image: repo1-x}\n  b: {build: db, image: repo1-x}\n");
  EXPECT_NE(two.find("compose.yml:3:14: image 'x' is built otherwise at "), std::string::npos) << two;
}

TEST_F(ComposeImagesTest, TheDockerfileMayStandInTheComposeFile) {
  env_["V"] = "3";
  const config::Settings repo = read(
      "services:\n  a: {build: {dockerfile_inline: 'FROM x:${V}\n\nRUN echo $$HOME'}}\n"
      "  b: {build: {context: db, dockerfile_inline: FROM y}, image: repo1-b}\n"
      "  c: {build: {context: ./db, dockerfile_inline: FROM y}, image: repo1-b}\n");
  ASSERT_FALSE(repo.images_error) << repo.images_error->message;
  ASSERT_EQ(repo.images.size(), 2U);
  EXPECT_EQ(repo.images[0].dockerfile_inline, "FROM x:3\nRUN echo $HOME");
  EXPECT_EQ(repo.images[0].context, tree_.root());
  EXPECT_EQ(repo.images[0].dockerfile, tree_.path("compose.yml").string() + " (dockerfile_inline of a)");
  EXPECT_EQ(repo.images[1].dockerfile_inline, "FROM y");
  const std::string two = images(
      "services:\n  a: {build: {dockerfile_inline: FROM x}, image: repo1-x}\n"
      "  b: {build: {dockerfile_inline: FROM y}, image: repo1-x}\n");
  EXPECT_NE(two.find("image 'x' is built otherwise at "), std::string::npos) << two;
}

TEST_F(ComposeImagesTest, SettingsComeFirst) {
  config::ImageSettings declared;
  declared.name = "x";
  declared.context = tree_.path("db");
  declared.dockerfile = tree_.path("db/Dockerfile");
  repo_.images.push_back(declared);
  EXPECT_EQ(images("services:\n  a: {build: api, image: repo1-x}\n"), "x db/Dockerfile\n");
  EXPECT_EQ(images("services:\n  x: {build: db}\n"), "x db/Dockerfile\n");
  EXPECT_NE(images("services:\n  x: {build: api}\n").find("'x' is built otherwise"), std::string::npos);
}

TEST_F(ComposeImagesTest, RefusalsNameTheirPlace) {
  const auto refused = [&](const std::string& section, const std::string& words) {
    const std::string error = images("services:\n  a:\n    build: " + section + "\n");
    EXPECT_EQ(error.rfind("error: " + tree_.path("compose.yml").string() + ":3:", 0), 0U) << error;
    EXPECT_NE(error.find(words), std::string::npos) << error;
  };
  refused("nowhere", "nowhere' does not exist");
  refused("https://x/y.git", "is not on this machine");
  refused("oci:registry/x", "is not on this machine");
  refused("{context: api, dockerfile: No}", "No' does not exist");
  refused("{context: api, dockerfile: Other, dockerfile_inline: FROM x}", "both 'dockerfile' and 'dockerfile_inline'");
  refused("{context: api, ssh: [default]}", "'build.ssh'");
  refused("{context: api, secrets: [s]}", "there is no secret 's'");
  refused("{context: api, additional_contexts: {x: ./db}}", "the additional context 'x' is no image");
  refused("{context: api, platforms: [linux/amd64, linux/arm64]}", "several platforms");
  refused("{dockerfile: Dockerfile}", "Dockerfile' does not exist");
  refused("'${NOT_SET}'", "needs the variable 'NOT_SET'");
  refused("[api]", "neither a path nor a map");
  const std::string unnamed = images("services:\n  a._b: {build: api}\n");
  EXPECT_NE(unnamed.find("compose.yml:2:17: service 'a._b' cannot name an image"), std::string::npos) << unnamed;
}

TEST_F(ComposeImagesTest, WhatIsOnlyStagedDoesNotMatter) {
  EXPECT_EQ(images("services:\n  a: {build: api, env_file: [missing.env], volumes: ['${NOT_SET}/x:/x']}\n"
                   "secrets:\n  s: {file: ./missing}\n"),
            "a api/Dockerfile\n");
}

TEST_F(ComposeImagesTest, FilesWithoutBuildAreNotRead) {
  EXPECT_EQ(images("services: [this is no stack\n"), "");
  EXPECT_NE(images("services: [build\n").find("error: "), std::string::npos);
}

}  // namespace
}  // namespace otto::compose
