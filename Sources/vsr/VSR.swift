internal import ArgumentParser

@main
struct VSR: ParsableCommand {
}
