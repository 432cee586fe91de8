#include "shared/service/program.hpp"

#include <catch2/catch.hpp>
#include <cstdio>
#include <stdexcept>

#include "shared/log/log.hpp"
#include "test/unit/shared/child.hpp"

using namespace shared::service;
using Arguments = std::vector<std::string>;
using Environment = shared::config::Environment;

namespace {

Program program() {
    Program program{"tester", "usage: tester [serve | add NUMBERS]\n", {}};
    program.commands.push_back({"serve", [](Environment&, const Arguments& arguments) {
                                    std::printf("served %zu\n", arguments.size());
                                    shared::log::info("logged_by_the_command");
                                    return 7;
                                }});
    const auto add = [](Environment&, const Arguments& arguments) {
        std::printf("%s+%s\n", arguments.at(0).c_str(), arguments.at(1).c_str());
        return 0;
    };
    program.commands.push_back({"add", add, true});
    program.commands.push_back({"wrong", [](Environment& environment, const Arguments&) {
                                    environment.problem("PORT", "is no number");
                                    return kWrongSettings;
                                }});
    program.commands.push_back({"throw", [](Environment&, const Arguments&) -> int {
                                    throw std::runtime_error("PORT: cannot listen");
                                }});
    return program;
}

test::Ended run(std::vector<const char*> words) {
    words.insert(words.begin(), "./tester");
    return test::in_child(
        [words] { return run_program(program(), static_cast<int>(words.size()), words.data()); });
}

}  // namespace

TEST_CASE("the first command is meant where none is given") {
    const auto ended = run({});
    CHECK(ended.code == 7);
    CHECK(ended.output.find("served 0\n") != std::string::npos);
    CHECK(ended.output.find("\"service\":\"tester\"") != std::string::npos);
    CHECK(ended.output.find("logged_by_the_command") != std::string::npos);
    CHECK(run({"serve"}).code == 7);
    CHECK(test::in_child([] { return run_program(program(), 0, nullptr); }).code == 7);
}

TEST_CASE("a command gets its arguments") {
    const auto ended = run({"add", "1", "2"});
    CHECK(ended.code == 0);
    CHECK(ended.output.find("1+2\n") != std::string::npos);
}

TEST_CASE("help is not an error, an unknown command and arguments that nobody takes are") {
    for (const char* help : {"help", "--help"}) {
        CHECK(run({help}).code == 0);
        CHECK(run({help}).output == program().usage);
    }
    CHECK(run({"nothing"}).code == 2);
    CHECK(run({"nothing"}).output == program().usage);
    CHECK(run({"serve", "x"}).code == 2);
    CHECK(run({""}).code == 2);
}

TEST_CASE("wrong settings and exceptions are told on stderr and end with 1") {
    const auto wrong = run({"wrong"});
    CHECK(wrong.code == 1);
    CHECK(wrong.output == "tester: wrong settings\nPORT: is no number\n");
    const auto thrown = run({"throw"});
    CHECK(thrown.code == 1);
    CHECK(thrown.output == "tester: PORT: cannot listen\n");
}
