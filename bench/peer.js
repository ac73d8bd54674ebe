// e-Mrejesho up to its confirm screen in ussd-menu-builder, and a bare view, on express.
// node peer.js <port>, with two processes as the gateway has.
const cluster = require('cluster');
const express = require('express');
const UssdMenu = require('ussd-menu-builder');

const BARE = 'CON Karibu huduma za Serikali\n1 Malipo (GePG)\n2 LUKU\n3 Ajira\n9 Huduma zaidi';
const BACK = '\n0 Rudi  00 Mwanzo';

function built() {
  const menu = new UssdMenu();
  const says = (name, text, next) =>
    menu.state(name, { run: () => menu.con(text), next });
  menu.startState({ run: () => menu.con(BARE.slice(4)), next: { 9: 'zaidi' } });
  says('zaidi', 'Huduma zaidi\n2 e-Mrejesho: maoni na malalamiko\n3 Kuhusu taasisi' + BACK, { 2: 'mrejesho' });
  says('mrejesho', 'e-Mrejesho: zungumza na taasisi ya Serikali\n1 Tuma mrejesho\n2 Fuatilia mrejesho' + BACK, { 1: 'aina' });
  says('aina', 'Chagua aina ya mrejesho\n1 Lalamiko\n2 Pendekezo\n3 Ulizo\n4 Pongezi\n5 Maoni' + BACK, { '*[1-5]': 'taasisi' });
  says('taasisi', 'Chagua taasisi au andika jina lake\n1 EGA\n2 TRA\n3 NIDA' + BACK, { '*[A-Z]+': 'maelezo' });
  says('maelezo', 'Andika maelezo yako kwa EGA:' + BACK, { '*.{3,}': 'utambulisho' });
  says('utambulisho', 'Taasisi ione namba yako ya simu?\n1 Ndiyo, iione\n2 Hapana, isiione' + BACK, { '*[12]': 'thibitisha' });
  says('thibitisha', 'Thibitisha: Lalamiko kwa EGA\n1 Tuma\n2 Ghairi' + BACK, {});
  return menu;
}

if (cluster.isPrimary) {
  cluster.fork();
  cluster.fork();
  process.on('SIGTERM', () => process.exit(0));
} else {
  const app = express();
  const menu = built();
  app.use(express.urlencoded({ extended: false }));
  app.post('/bare', (req, res) => { void req.body.text; res.type('text/plain').send(BARE); });
  app.post('/ussd', (req, res) => { menu.run(req.body, (text) => res.type('text/plain').send(text)); });
  app.listen(Number(process.argv[2]), '127.0.0.1');
}
