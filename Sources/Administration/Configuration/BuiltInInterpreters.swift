// Owns the interpreters that Lilium knows without being told: those of a stock Debian.
// It must not hold programs that only read their operands as data, such as awk or sed.

public import AccessModel

extension Interpreter {
  /// `[interpreters] defaults = false` drops all of them; a table of the same name replaces one.
  public static let builtIn: [Interpreter] = [
    builtIn(
      name: "shell",
      paths: inPrograms(
        "sh", "dash", "bash", "bash-static", "rbash", "zsh*", "ksh*", "mksh*", "lksh", "posh", "yash", "busybox"),
      inline: "c", values: "oO"),
    builtIn(name: "csh", paths: inPrograms("bsd-csh", "csh", "tcsh"), inline: "c"),
    builtIn(name: "fish", paths: inPrograms("fish"), suffixes: [".fish"], inline: "c"),
    builtIn(
      name: "python", paths: inPrograms("python", "python2*", "python3*", "pypy*"), suffixes: [".py", ".pyc"],
      inline: "cm", values: "WX"),
    builtIn(
      name: "perl", paths: inPrograms("perl", "perl5*"), suffixes: [".pl", ".pm", ".ph", ".al"],
      inline: "eE", values: "IMm"),
    builtIn(
      name: "ruby", paths: inPrograms("ruby*", "jruby"), suffixes: [".rb"], inline: "e", values: "CEIr"),
    builtIn(
      name: "node", paths: inPrograms("node", "nodejs"), suffixes: [".js", ".mjs", ".cjs", ".node"],
      inline: "ep", values: "Cr"),
    builtIn(
      name: "php", paths: inPrograms("php*") + ["/usr/sbin/php-fpm*", "/usr/lib/cgi-bin/php*"],
      suffixes: [".php", ".phar", ".inc"], inline: "r", values: "cdz"),
    builtIn(
      name: "lua", paths: inPrograms("lua", "lua5*", "luajit*"), suffixes: [".lua"], inline: "e", values: "l"),
    builtIn(name: "tcl", paths: inPrograms("tclsh*", "wish*"), suffixes: [".tcl", ".tm"]),
    builtIn(name: "expect", paths: inPrograms("expect"), suffixes: [".exp"], inline: "c"),
    builtIn(
      name: "guile", paths: inPrograms("guile*"), suffixes: [".scm", ".go"], inline: "c", values: "Lleux"),
    builtIn(
      name: "java", paths: ["/usr/lib/jvm/*/bin/java", "/usr/lib/jvm/*/jre/bin/java"], suffixes: [".jar", ".class"],
      arguments: false),
  ]

  private static func builtIn(
    name: String, paths: [String], suffixes: [String] = [], inline: String = "", values: String = "",
    arguments: Bool = true
  ) -> Interpreter {
    Interpreter(
      name: name, paths: paths, suffixes: suffixes, inlineOptions: inline, valueOptions: values,
      readsArguments: arguments)
  }

  /// The folders where a Debian host keeps programs; /bin is a link to the first.
  private static func inPrograms(_ names: String...) -> [String] {
    ["/usr/bin/", "/usr/local/bin/"].flatMap { folder in names.map { folder + $0 } }
  }
}
