#include "gateway/command_line.hpp"

int main(int argc, char** argv) {
    return gateway::command_line(argc, argv);
}
