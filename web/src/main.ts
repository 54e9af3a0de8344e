import { mount } from 'svelte';
import './app.css';
import App from './ui/App.svelte';

const target = document.getElementById('app');
if (target === null) throw new Error('The page has no place for the board.');
target.replaceChildren(); // what index.html shows until here
mount(App, { target });
