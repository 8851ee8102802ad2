// Routes to files for `hydrate`: the addresses of forges whose batch API does not allow pages. The name of a want
// is its path in the repository.

import { wrong } from './error.js';

/** GitHub's address for the content of files in Git LFS. A private repository needs a token. */
export function github({ owner, repository, ref, token, origin = 'https://media.githubusercontent.com' }) {
  need({ owner, repository, ref });
  return ({ name }) => isPath(name) && ({
    url: `${origin}/media/${path(owner)}/${path(repository)}/${path(ref)}/${path(name)}`,
    headers: token ? { authorization: `Bearer ${token}` } : {},
  });
}

/** GitLab's address for the content of files in Git LFS. `project` is its number or its path. */
export function gitlab({ project, ref, token, origin = 'https://gitlab.com' }) {
  need(typeof project === 'number' ? { ref } : { project, ref });
  return ({ name }) => isPath(name) && ({
    url: `${origin}/api/v4/projects/${encodeURIComponent(project)}/repository/files/${encodeURIComponent(name)}/raw` +
      `?${new URLSearchParams({ ref, lfs: 'true' })}`,
    headers: token ? { authorization: `Bearer ${token}` } : {},
  });
}

/** Throws an error that names the first part of a place that is missing. */
function need(parts) {
  for (const [name, text] of Object.entries(parts)) if (typeof text !== 'string') throw wrong(name, 'a string', text);
}

/** Whether a name leads to a file of the repository, and to nothing else of the forge. */
function isPath(name) {
  return name.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

function path(text) {
  return text.split('/').map(encodeURIComponent).join('/');
}
