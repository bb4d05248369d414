/** What each shell runs to have `mycloud` completed: it asks `mycloud complete` with the words of the line so far. */
export const scripts = {
  bash: `# Completes mycloud in bash. Put into ~/.bashrc: eval "$(mycloud completion bash)"
_mycloud() {
  local found
  COMPREPLY=()
  while IFS= read -r found; do
    found=\${found%%$'\\t'*}
    # bash takes what follows a "=" as a word of its own.
    [[ $found == -*=* ]] && found=\${found#*=}
    COMPREPLY+=("$found")
  done < <("\${COMP_WORDS[0]}" complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _mycloud mycloud
`,
  zsh: `#compdef mycloud
# Completes mycloud in zsh. Put into ~/.zshrc, after compinit: eval "$(mycloud completion zsh)"
_mycloud() {
  local -a found
  found=("\${(@f)$("\${words[1]}" complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  found=("\${(@)found:#}")
  found=("\${(@)found//:/\\\\:}")
  found=("\${(@)found/$'\\t'/:}")
  if (( \${#found} )); then _describe mycloud found; else _files; fi
}
compdef _mycloud mycloud
`,
  fish: `# Completes mycloud in fish. Put into ~/.config/fish/config.fish: mycloud completion fish | source
function __mycloud_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l found ($words[1] complete -- $words[2..-1] 2>/dev/null)
  if test (count $found) -gt 0
    printf '%s\\n' $found
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c mycloud -f -a '(__mycloud_complete)'
`,
};
