// The program in a page.

import { program } from './read.js';

fetch('/given.json').then((response) => response.json()).then(program).then((said) => {
  document.querySelector('output').textContent = JSON.stringify(said);
});
